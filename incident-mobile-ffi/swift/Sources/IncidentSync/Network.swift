#if canImport(Network)
import Foundation
import Network

extension Outbox {
    /// Tells the queue of every network that comes, for as long as the task runs, and then calls `act`, such as to sync.
    /// However often the network changes meanwhile, `act` is called once more for it, where there is one in the end. What
    /// `act` throws ends it, such as the errors of a `sync`.
    public func followNetwork(_ act: @Sendable () async throws -> Void) async throws {
        let paths = AsyncStream<NWPath>(bufferingPolicy: .bufferingNewest(1)) { continuation in
            let monitor = NWPathMonitor()
            monitor.pathUpdateHandler = { continuation.yield($0) }
            continuation.onTermination = { _ in monitor.cancel() }
            monitor.start(queue: DispatchQueue(label: "incident-sync.network"))
        }
        for await path in paths where path.status == .satisfied {
            try await networkChanged()
            try await act()
        }
    }
}
#endif
