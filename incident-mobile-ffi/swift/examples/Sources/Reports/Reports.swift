import Foundation
import IncidentSync

/// What an app shows of its outbox, and what its buttons do: the same below a terminal and below SwiftUI.
@MainActor
public final class Reports {
    public private(set) var counts: Summary?
    public private(set) var entries: [Entry] = []
    /// What there is to say: how a sync ended, or what is wrong with a form.
    public private(set) var words = ""
    public private(set) var isAirplane = false
    /// Called after every change of the above.
    public var onChange: () -> Void = {}

    private let outbox: Outbox
    private let network: Network

    public init(outbox: Outbox, transport: any Transport) {
        self.outbox = outbox
        network = Network(transport)
    }

    /// Follows every change of the file, by whatever process, until the task is cancelled.
    public func follow() async throws {
        for try await summary in outbox.watch() {
            entries = try await outbox.entries(limit: 10)
            counts = summary
            onChange()
        }
    }

    public func report(_ draft: Draft) async {
        await act { outbox, _ in
            try await outbox.report(draft)
            return ""
        }
    }

    public func callOff(_ entry: Entry, reason: String) async {
        await act { outbox, _ in
            try await outbox.cancel(key: entry.key, reason: reason)
            return ""
        }
    }

    public func turn(airplane: Bool) async {
        isAirplane = airplane
        await act { outbox, network in
            await network.turn(airplane: airplane)
            if !airplane { try await outbox.networkChanged() }
            return ""
        }
    }

    public func sync() async {
        await act { outbox, network in
            switch try await outbox.sync(transport: network) {
            case .wait(let until, _, let detail): return "again at \(clock(until)): \(detail)"
            case .signIn(_, let detail): return "sign in: \(detail)"
            case .idle: return "all delivered"
            }
        }
    }

    /// Does it, and shows what it has to say.
    private func act(_ change: @Sendable (Outbox, Network) async throws -> String) async {
        do {
            words = try await change(outbox, network)
        } catch {
            words = error.localizedDescription
        }
        onChange()
    }
}

/// The way to the server, with a switch.
actor Network: Transport {
    private let web: any Transport
    private var isAirplane = false

    init(_ web: any Transport) {
        self.web = web
    }

    func turn(airplane: Bool) {
        isAirplane = airplane
    }

    func send(_ upload: Upload) async throws -> UploadResult {
        if isAirplane {
            return .networkFailure(kind: .offline, detail: "airplane mode", sent: false)
        }
        return try await web.send(upload)
    }
}

/// The time of day, here.
public func clock(_ moment: Date) -> String {
    let format = DateFormatter()
    format.dateFormat = "HH:mm:ss"
    return format.string(from: moment)
}

extension Entry {
    /// What became of it, in a word.
    public var standing: String {
        switch incident?.status {
        case .open: return "Open"
        case .cancelled: return "Cancelled"
        case nil: return "\(state)"
        }
    }
}
