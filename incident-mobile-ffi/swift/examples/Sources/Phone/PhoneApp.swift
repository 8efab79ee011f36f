// The same on a phone or a Mac: a form, a list that follows, a sync button, a switch for airplane mode.

import IncidentSync
import Reports
import SwiftUI

/// Who reports, and where to; an app has a sign-in for it. A token comes from `incident-server token --sub alice`.
enum Account {
    static let server = URL(string: "http://127.0.0.1:8080")!
    static let reporter = "alice"
    static let token = ""
}

@main
struct PhoneApp: App {
    var body: some Scene {
        WindowGroup { ReportsView() }
    }
}

/// Tells SwiftUI when there is something new to draw.
@MainActor
final class Model: ObservableObject {
    @Published private(set) var reports: Reports?
    @Published private(set) var failure: String?

    /// Runs for as long as there is a screen; the file stays, whatever becomes of the app.
    func run() async {
        do {
            let outbox = try await Outbox.open(path: try file(), reporter: Account.reporter)
            let transport = URLSessionTransport(baseURL: Account.server) { Account.token }
            let reports = Reports(outbox: outbox, transport: transport)
            reports.onChange = { [weak self] in self?.objectWillChange.send() }
            self.reports = reports
            try await reports.follow()
            try await outbox.close()
        } catch {
            failure = error.localizedDescription
        }
    }

    /// A folder of its own, readable while the phone is locked, and in no backup.
    private func file() throws -> String {
        let support = try FileManager.default.url(
            for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true
        )
        var folder = support.appendingPathComponent("outbox", isDirectory: true)
        var attributes: [FileAttributeKey: Any] = [:]
        #if os(iOS)
        attributes[.protectionKey] = FileProtectionType.completeUntilFirstUserAuthentication
        #endif
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true, attributes: attributes)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder.appendingPathComponent("outbox.db").path
    }
}
