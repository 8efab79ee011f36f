import Foundation
import IncidentSync
import IncidentSyncGenerated
import IncidentSyncTestingGenerated

/// What becomes of an upload instead of an answer.
public typealias FakeFault = IncidentSyncTestingGenerated.FakeFault

/// A test asked what makes no sense, such as a fault that happens no times; nothing happened.
public struct Nonsense: Error, Equatable, CustomStringConvertible {
    public let description: String
}

/// A server for an app's own tests: a `Transport` that answers by the rules of the real server, in memory, so that a
/// test needs no server, no network and no sleep. Its outboxes, see `open`, go by its clock, which the test turns.
///
/// What makes no sense throws `Nonsense`.
public final class FakeServer: Transport {
    private let server: IncidentSyncTestingGenerated.FakeServer
    private let outboxes = Outboxes()

    /// A server without incidents; `reporter` is whose token comes with the uploads, `nil` where nobody is signed in. Its
    /// clock stands at `now`, or at the device's time.
    public init(reporter: String?, now: Date? = nil) throws {
        server = try sensible { try .init(reporter: reporter, now: now ?? Date()) }
    }

    /// `Outbox.open`, with the clock of this server.
    public func open(
        path: String,
        reporter: String,
        settings: OutboxSettings = OutboxSettings(),
        log: (@Sendable (String) -> Void)? = nil
    ) async throws -> IncidentSync.Outbox {
        let outbox = try await IncidentSync.Outbox.open(
            path: path, reporter: reporter, settings: settings, log: log, now: try now()
        )
        outboxes.add(outbox)
        return outbox
    }

    /// Answers, or lets the upload fail as ordered.
    public func send(_ upload: Upload) async throws -> UploadResult {
        UploadResult(try sensible { try server.answer(request: Request(upload)) })
    }

    /// Lets the next uploads fail in this way, `times` of them, behind those that were ordered before.
    public func order(_ fault: FakeFault, times: Int = 1) throws {
        try sensible { try server.order(fault: fault, times: Int64(times)) }
    }

    /// From now on the token that comes with uploads is this reporter's; nobody's if `nil`.
    public func signIn(_ reporter: String?) throws {
        try sensible { try server.signIn(reporter: reporter) }
    }

    /// What the clock of the server and of its outboxes says.
    public func now() throws -> Date {
        try sensible { try server.now() }
    }

    /// Turns the clock to this moment, forwards or back.
    public func turn(to moment: Date) throws {
        try sensible { try server.turnTo(now: moment) }
        outboxes.turn(to: moment)
    }

    /// What the server has, oldest first.
    public func incidents() throws -> [FakeIncident] {
        try sensible { try server.incidents() }.map(FakeIncident.init)
    }

    /// How many uploads it has seen, whatever became of them.
    public func uploads() throws -> Int64 {
        try sensible { try server.uploads() }
    }

    /// Erases an incident, as an operator of the server would.
    public func erase(id: String) throws {
        try sensible { try server.erase(id: id) }
    }
}

private func sensible<T>(_ call: () throws -> T) throws -> T {
    do {
        return try call()
    } catch FakeServerError.Nonsense(let detail) {
        throw Nonsense(description: detail)
    }
}

/// The outboxes that go by a server's clock, as long as somebody has them.
private final class Outboxes: @unchecked Sendable {
    private struct Weak {
        weak var outbox: IncidentSync.Outbox?
    }

    private let lock = NSLock()
    private var all: [Weak] = []

    func add(_ outbox: IncidentSync.Outbox) {
        lock.lock()
        defer { lock.unlock() }
        all.append(Weak(outbox: outbox))
    }

    func turn(to moment: Date) {
        lock.lock()
        defer { lock.unlock() }
        all.forEach { $0.outbox?.turn(to: moment) }
    }
}
