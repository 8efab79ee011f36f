import Foundation
import IncidentSync
import XCTest
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The queue: what it keeps, lists and says, without a server.
final class OutboxTests: XCTestCase {
    func testAReportOutlivesItsOutbox() async throws {
        let path = newPath()
        let first = try await Outbox.open(path: path, reporter: "alice")
        let reported = try await first.report(draft("ward-7"))
        try await first.close()

        let second = try await Outbox.open(path: path, reporter: "alice")
        let found = try await second.entry(key: reported.key)

        XCTAssertEqual(found, reported)
        XCTAssertEqual(found.state, EntryState.pending)
    }

    func testACancellationJoinsItsReportAndAnotherReasonIsRefused() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key

        let cancelled = try await outbox.cancel(key: key, reason: "false alarm")
        let again = try await outbox.cancel(key: key, reason: "false alarm")
        let error = await failure { try await outbox.cancel(key: key, reason: "another") }

        XCTAssertEqual(cancelled.cancellationReason, "false alarm")
        XCTAssertEqual(cancelled.payload, again.payload)
        XCTAssertEqual(error, OutboxError.alreadyCancelled)
    }

    func testTwoReportsOfOneMillisecondBothCount() async throws {
        let outbox = try await newOutbox()
        let moment = draft("ward-7")

        let first = try await outbox.report(moment)
        let second = try await outbox.report(moment)
        let listed = try await outbox.entries().map { $0.key }

        XCTAssertEqual(second.createdAt.timeIntervalSince(first.createdAt), 0.001, accuracy: 0.0001)
        XCTAssertEqual(listed, [second.key, first.key])
    }

    func testEveryRefusalHasItsKind() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key

        let pending = await failure { try await outbox.discard(key: key) }
        let unknown = await failure { try await outbox.entry(key: "no key") }
        let nobody = await failure { try await Outbox.open(path: newPath(), reporter: "") }
        let nowhere = await failure { try await Outbox.open(path: newPath() + "/none/x.db", reporter: "alice") }
        try await outbox.close()
        try await outbox.close()
        let closed = await failure { try await outbox.summary() }

        XCTAssertEqual(pending, OutboxError.stillPending)
        XCTAssertEqual(unknown, OutboxError.notFound)
        XCTAssertEqual(nobody, OutboxError.invalidReporter)
        XCTAssertEqual(closed, OutboxError.closed)
        guard case .unavailable? = nowhere else {
            return XCTFail("expected unavailable, got \(String(describing: nowhere))")
        }
    }

    func testAFileThatIsNoDatabaseIsMovedAside() async throws {
        let path = newPath()
        try Data(repeating: 42, count: 8192).write(to: URL(fileURLWithPath: path))

        let outbox = try await Outbox.open(path: path, reporter: "alice")
        try await outbox.report(draft("ward-7"))
        let summary = try await outbox.summary()

        XCTAssertEqual(summary.pending, 1)
        XCTAssertEqual(summary.recovery?.saved, 0)
        let kept = summary.recovery?.movedTo ?? ""
        XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: kept)).count, 8192)
    }

    func testNothingThatIsPrintedShowsATextOfAReport() async throws {
        let words = ["Sekretariat", "R-4711", "12.4924", "41.8902", "falscher Alarm"]
        let outbox = try await newOutbox()
        var report = draft("Sekretariat")
        report.roomNumber = "R-4711"
        report.cancellationReason = "falscher Alarm"

        let entry = try await outbox.report(report)
        let next = try await outbox.nextUpload()
        let payload = try canonicalPayload(json: Data(entry.payload.utf8))
        let header = Header(name: "X", value: "Sekretariat")
        let answer = UploadResult.response(status: 403, headers: [header], body: Data(entry.payload.utf8))

        for value in [report, entry, next, payload, answer, header] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] {
                XCTAssertEqual(words.filter { text.contains($0) }, [], text)
            }
        }
    }

    func testTheEntriesComeInPages() async throws {
        let outbox = try await newOutbox()
        var keys: [String] = []
        for number in 0..<25 {
            keys.insert(try await outbox.report(draft("ward-\(number)", plusMs: Int64(number))).key, at: 0)
        }

        let first = try await outbox.entries(limit: 10)
        let second = try await outbox.entries(limit: 10, after: first.last?.key)
        let third = try await outbox.entries(limit: 10, after: second.last?.key)

        XCTAssertEqual((first + second + third).map { $0.key }, keys)
    }

    func testAListOfFewerThanNoEntriesIsRefused() async throws {
        let outbox = try await newOutbox()
        try await outbox.report(draft("ward-7"))

        let refused = await failure { try await outbox.entries(limit: -1) }
        let none = try await outbox.entries(limit: 0)
        let all = try await outbox.entries(limit: Int.max)

        XCTAssertEqual(refused, .invalidArgument(detail: "the limit of a list is negative"))
        XCTAssertEqual([none.count, all.count], [0, 1])
    }

    func testSettingsThatMakeNoSenseAreRefused() async throws {
        let negative = OutboxSettings(settledForMs: -1)
        let crossed = OutboxSettings(shortestSpacingMs: 2, longestSpacingMs: 1)

        let one = await failure { try await Outbox.open(path: newPath(), reporter: "alice", settings: negative) }
        let other = await failure { try await Outbox.open(path: newPath(), reporter: "alice", settings: crossed) }

        XCTAssertEqual(one, .invalidArgument(detail: "a time of the settings is negative"))
        XCTAssertEqual(other, .invalidArgument(detail: "the shortest spacing is longer than the longest"))
    }

    func testAllThatWasRefusedIsSentAgainOrDiscarded() async throws {
        let outbox = try await newOutbox()
        for number in 0..<3 {
            try await outbox.report(draft("ward-\(number)", plusMs: Int64(number)))
        }
        let body = Data(#"{"type":"/problems/validation-failed","status":422,"disposition":"quarantine"}"#.utf8)
        let refuses = Always(result: .response(status: 422, headers: [], body: body))

        try await outbox.sync(transport: refuses)
        let again = try await outbox.retryAll(filter: .quarantined)
        try await outbox.sync(transport: refuses)
        let discarded = try await outbox.discardAll(filter: .quarantined)
        let left = try await outbox.entries()

        XCTAssertEqual([again, discarded], [3, 3])
        XCTAssertEqual(left, [])
    }
}
