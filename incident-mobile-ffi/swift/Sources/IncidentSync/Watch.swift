import IncidentSyncGenerated

/// The queue in numbers, now and after every change, by whatever process: what a screen follows.
///
/// Many changes at once are one. Two that are equal mean that something else of an entry changed, such as its reason.
/// Ends when the outbox is closed or the task is cancelled; throws `OutboxError`. Whoever stops reading holds up nobody.
public struct Changes: AsyncSequence, Sendable {
    public typealias Element = Summary

    let outbox: Outbox

    /// Begins with the present state.
    public func makeAsyncIterator() -> Iterator {
        Iterator(outbox: outbox)
    }

    public struct Iterator: AsyncIteratorProtocol {
        private let outbox: Outbox
        private var watcher: Watcher?
        private var pauseMs: Int64 = 0
        private var isOver = false

        init(outbox: Outbox) {
            self.outbox = outbox
        }

        /// The next change, or `nil` at the end.
        public mutating func next() async throws -> Summary? {
            while !isOver {
                guard let step = try await step() else {
                    isOver = true
                    break
                }
                pauseMs = step.againMs
                if let summary = step.summary {
                    return summary
                }
            }
            return nil
        }

        private mutating func step() async throws -> WatchStep? {
            do {
                if pauseMs > 0 {
                    try await Task.sleep(nanoseconds: UInt64(pauseMs) * 1_000_000)
                }
                if let watcher {
                    return try await outbox.look(watcher)
                }
                let watcher = try await outbox.watcher()
                self.watcher = watcher
                return try await outbox.look(watcher)
            } catch is CancellationError {
                return nil
            } catch OutboxError.closed {
                return nil
            }
        }
    }
}

/// Gives the lines of the log to a function of the app.
final class Listener: OutboxLog {
    private let take: @Sendable (String) -> Void

    init(_ take: @escaping @Sendable (String) -> Void) {
        self.take = take
    }

    func line(line: String) {
        take(line)
    }
}
