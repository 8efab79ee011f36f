import Dispatch
import Foundation
import IncidentSyncGenerated

/// The queue of one reporter in one file.
///
/// A report that `report` accepted reaches the server exactly once, or its reporter is told why not; nothing ever
/// drops it. May be used from several tasks at once. Everything throws `OutboxError`, and `sync` also
/// `CancellationError` and what its transport throws.
///
/// The calls may wait for storage, so they run on a queue of their own and never on one of Swift's few threads;
/// both fields are made for use from any thread.
public final class Outbox: @unchecked Sendable {
    private let library: IncidentSyncGenerated.Outbox
    private let queue: DispatchQueue

    private init(library: IncidentSyncGenerated.Outbox, queue: DispatchQueue) {
        self.library = library
        self.queue = queue
    }

    /// Opens the file at `path`, or makes it, for the reporter whose identity is the `sub` of the token.
    ///
    /// What was saved if the file was found corrupt is in `summary().recovery`. `log` gets one line for each event,
    /// without a text of a report, a name or a token, and before the call ends that made it; it may begin a task that
    /// uses the outbox, but not wait for it.
    public static func open(
        path: String,
        reporter: String,
        settings: OutboxSettings = OutboxSettings(),
        log: (@Sendable (String) -> Void)? = nil
    ) async throws -> Outbox {
        try await open(path: path, reporter: reporter, settings: settings, log: log, now: nil)
    }

    /// The same under a clock that stands at `now` until it is turned, or under the device's.
    package static func open(
        path: String,
        reporter: String,
        settings: OutboxSettings,
        log: (@Sendable (String) -> Void)?,
        now: Date?
    ) async throws -> Outbox {
        let queue = DispatchQueue(label: "incident-sync.outbox")
        let library = try await run(on: queue) {
            try IncidentSyncGenerated.Outbox.open(
                path: path, reporter: reporter, settings: settings, log: log.map(Listener.init), now: now
            )
        }
        return Outbox(library: library, queue: queue)
    }

    /// Turns the clock of an outbox that was opened under one.
    package func turn(to moment: Date) {
        // Only a bug in the Rust library throws; then the clock stands where it stood.
        try? library.turnTo(now: moment)
    }

    /// Takes a report; it is durable when this returns. A faulty one comes back as all its violations at once.
    @discardableResult
    public func report(_ draft: Draft) async throws -> Entry {
        try await call { try $0.report(draft: draft) }
    }

    /// Calls a report off: the same entry, now with its reason.
    @discardableResult
    public func cancel(key: String, reason: String) async throws -> Entry {
        try await call { try $0.cancel(key: key, reason: reason) }
    }

    /// The entries of this reporter, newest first, at most `limit`, from the one behind the key `after` on.
    public func entries(
        filter: EntryState? = nil,
        limit: Int = 100,
        after: String? = nil
    ) async throws -> [Entry] {
        try await call { try $0.entries(filter: filter, limit: Int64(limit), after: after) }
    }

    /// One entry.
    public func entry(key: String) async throws -> Entry {
        try await call { try $0.entry(key: key) }
    }

    /// The queue in numbers.
    public func summary() async throws -> Summary {
        try await call { try $0.summary() }
    }

    /// The queue in numbers, now and after every change, by whatever process: what a screen follows.
    public func watch() -> Changes {
        Changes(outbox: self)
    }

    func watcher() async throws -> Watcher {
        try await call { try $0.watch() }
    }

    func look(_ watcher: Watcher) async throws -> WatchStep {
        try await call { _ in try watcher.look() }
    }

    /// Sends an entry again: one in quarantine is pending again, and a back-off lapses.
    @discardableResult
    public func retry(key: String) async throws -> Entry {
        try await call { try $0.retry(key: key) }
    }

    /// Removes an entry that is settled or in quarantine.
    public func discard(key: String) async throws {
        try await call { try $0.discard(key: key) }
    }

    /// Sends again what is in quarantine and what waits, or the entries of one state; says how many.
    @discardableResult
    public func retryAll(filter: EntryState? = nil) async throws -> Int64 {
        try await call { try $0.retryAll(filter: filter) }
    }

    /// Removes what is settled or in quarantine, or the entries of one of these states; says how many.
    @discardableResult
    public func discardAll(filter: EntryState? = nil) async throws -> Int64 {
        try await call { try $0.discardAll(filter: filter) }
    }

    /// There is another network, or one again: a back-off lapses; what the server asked to wait is kept.
    public func networkChanged() async throws {
        try await call { try $0.networkChanged() }
    }

    /// There is a new token: what waited for it may go.
    public func tokenChanged() async throws {
        try await call { try $0.tokenChanged() }
    }

    /// Closes the file; closing twice is no fault.
    public func close() async throws {
        try await call { try $0.close() }
    }

    /// Says what to send next; `sync` asks for you, unless you bring a background session of your own.
    public func nextUpload() async throws -> NextUpload {
        try await call { try $0.nextUpload() }
    }

    /// Takes what came of an upload; one that is no longer under way changes nothing.
    @discardableResult
    public func completeUpload(id: Int64, result: UploadResult) async throws -> SyncProgress {
        try await call { try $0.completeUpload(uploadId: id, result: result) }
    }

    private func call<T: Sendable>(
        _ work: @escaping @Sendable (IncidentSyncGenerated.Outbox) throws -> T
    ) async throws -> T {
        let library = self.library
        return try await Outbox.run(on: queue) { try work(library) }
    }

    private static func run<T: Sendable>(
        on queue: DispatchQueue,
        _ work: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<T, any Error>) in
            queue.async {
                do {
                    let value = try work()
                    continuation.resume(returning: value)
                } catch {
                    continuation.resume(throwing: OutboxError(error))
                }
            }
        }
    }
}
