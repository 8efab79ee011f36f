import Foundation
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// How far an upload came: before there is a task it has not left.
final class Way: @unchecked Sendable {
    private let lock = NSLock()
    private var task: URLSessionTask?

    func begin(_ task: URLSessionTask) {
        lock.withLock { self.task = task }
    }

    /// Whether something of the report itself may have left the device: without a connection nothing has.
    var hasLeft: Bool {
        lock.withLock { task.map { $0.countOfBytesSent > 0 } ?? false }
    }
}
