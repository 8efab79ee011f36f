// Reports and cancels without a network, then syncs and says what became of it.

import Foundation
import IncidentSync

@main
struct Reporting {
    static func main() async throws {
        let variables = ProcessInfo.processInfo.environment
        guard let address = variables["INCIDENT_SERVER_URL"], let server = URL(string: address),
              let token = variables["INCIDENT_TOKEN"] else {
            fatalError("INCIDENT_SERVER_URL and INCIDENT_TOKEN (of alice) say where to report")
        }
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("outbox-" + UUID().uuidString)
        let outbox = try await Outbox.open(path: file.path, reporter: "alice")

        let entry = try await outbox.report(Draft(locationId: "ward-7", longitude: 12.4924, latitude: 41.8902))
        try await outbox.cancel(key: entry.key, reason: "false alarm")

        let transport = URLSessionTransport(baseURL: server) { token }
        let end = try await outbox.sync(transport: transport) { step in print("\(step.pending) to go") }
        let sent = try await outbox.entry(key: entry.key)
        print("\(end): \(sent.state)")
        try await outbox.close()
    }
}
