import Foundation
import IncidentSync
import XCTest

/// A screen follows the queue, and a log hears of it.
final class WatchTests: XCTestCase {
    func testAScreenSeesThePresentAndEveryChangeByAnyoneWithTheFile() async throws {
        let path = newPath()
        let outbox = try await Outbox.open(path: path, reporter: "alice")
        let other = try await Outbox.open(path: path, reporter: "alice")
        var changes = outbox.watch().makeAsyncIterator()
        let present = try await changes.next()
        try await other.report(draft("ward-7"))
        var later = try await changes.next()
        while later?.pending == 0 {
            later = try await changes.next()
        }
        XCTAssertEqual(present?.pending, 0)
        XCTAssertEqual(later?.pending, 1)
    }

    func testTheEndOfTheOutboxIsTheEndOfTheSequence() async throws {
        let outbox = try await newOutbox()
        var changes = outbox.watch().makeAsyncIterator()
        _ = try await changes.next()
        try await outbox.close()
        let end = try await changes.next()
        let again = try await changes.next()
        XCTAssertNil(end)
        XCTAssertNil(again)
    }

    func testAWatcherThatIsCancelledEndsAndOneThatNeverReadsHoldsUpNobody() async throws {
        let outbox = try await newOutbox()
        let unread = (0..<100).map { _ in outbox.watch().makeAsyncIterator() }
        let task = Task {
            var count = 0
            for try await _ in outbox.watch() { count += 1 }
            return count
        }
        try await outbox.report(draft("ward-7"))
        task.cancel()
        let seen = try await task.value
        XCTAssertLessThan(seen, 3)
        XCTAssertEqual(unread.count, 100)
    }

    func testTheLogHasOneLineForEachEvent() async throws {
        let lines = Lines()
        let outbox = try await Outbox.open(path: newPath(), reporter: "alice", log: { lines.add($0) })
        try await outbox.report(draft("Sekretariat"))
        try await outbox.sync(transport: Always(result: .networkFailure(kind: .offline, detail: "", sent: false)))
        XCTAssertEqual(lines.all.count, 3)
        XCTAssertEqual(lines.all.first, "sending 1")
        XCTAssertTrue(lines.all.last?.hasSuffix("there is no network") ?? false)
    }

    func testALogThatUsesTheOutboxHarmsNobody() async throws {
        let (lines, log) = AsyncStream<String>.makeStream()
        let outbox = try await Outbox.open(path: newPath(), reporter: "alice", log: { log.yield($0) })
        let offline = Always(result: .networkFailure(kind: .offline, detail: "", sent: false))
        let reporting = Task {
            for await line in lines where line.hasPrefix("sending") {
                try await outbox.report(draft("from the log"))
                break
            }
        }
        try await outbox.report(draft("ward-7"))
        try await outbox.sync(transport: offline)
        try await reporting.value
        let pending = try await outbox.summary().pending
        XCTAssertEqual(pending, 2)
    }
}

/// Keeps what a log gets.
private final class Lines: @unchecked Sendable {
    private let lock = NSLock()
    private var lines: [String] = []

    func add(_ line: String) {
        lock.lock()
        lines.append(line)
        lock.unlock()
    }

    var all: [String] {
        lock.lock()
        defer { lock.unlock() }
        return lines
    }
}
