import Foundation
import IncidentSync
import XCTest
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What needs no server.
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

    func testAnInvalidDraftComesBackWithAllItsViolations() async throws {
        let outbox = try await newOutbox()
        let wrong = Draft(
            locationId: " ",
            roomNumber: String(repeating: "1", count: 65),
            longitude: 181,
            latitude: -91,
            cancellationReason: ""
        )

        let error = await failure { try await outbox.report(wrong) }
        let summary = try await outbox.summary()

        guard case .invalid(let violations)? = error else {
            return XCTFail("expected violations, got \(String(describing: error))")
        }
        let pointers = violations.map { $0.pointer }.sorted()
        XCTAssertEqual(pointers, [
            "/cancellationReason",
            "/gpsCoordinates/coordinates/0",
            "/gpsCoordinates/coordinates/1",
            "/locationId",
            "/roomNumber",
        ])
        XCTAssertEqual(summary.pending, 0)
    }

    func testNotANumberIsOutOfRange() async throws {
        let outbox = try await newOutbox()
        let nowhere = Draft(locationId: "ward-7", longitude: Double.nan, latitude: Double.infinity)

        let error = await failure { try await outbox.report(nowhere) }

        guard case .invalid(let violations)? = error else {
            return XCTFail("expected violations, got \(String(describing: error))")
        }
        XCTAssertEqual(violations.count, 2)
    }

    func testAMomentBeyondAllReckoningIsAViolation() throws {
        for seconds in [-Double.infinity, -1, Double.infinity, Double.nan] {
            let moment = Date(timeIntervalSince1970: seconds)
            let draft = Draft(locationId: "ward-7", longitude: 0, latitude: 0, createdAt: moment)
            XCTAssertThrowsError(try validateDraft(draft), "\(seconds)") { error in
                guard case .invalid(let violations)? = error as? OutboxError else {
                    return XCTFail("expected violations, got \(error)")
                }
                XCTAssertEqual(violations.map { $0.pointer }, ["/createdAt"])
            }
        }
    }

    func testALoneSurrogateIsMalformedInJSONAndReplacedInAString() async throws {
        let json = #"{"locationId":"\ud800","isAnonymous":false}"#
        let lone = String(decoding: [UInt16(0xD800)], as: UTF16.self)
        let outbox = try await newOutbox()

        let error = await failure { try canonicalPayload(json: Data(json.utf8)) }
        let entry = try await outbox.report(Draft(locationId: lone, longitude: 0, latitude: 0))

        guard case .malformed? = error else {
            return XCTFail("expected malformed, got \(String(describing: error))")
        }
        XCTAssertEqual(entry.locationId, "\u{FFFD}")
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

    func testACaptivePortalCostsTheEntryNothing() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key
        let html = [Header(name: "Content-Type", value: "text/html")]
        let welcome = UploadResult.response(status: 200, headers: html, body: Data("<h1>Welcome</h1>".utf8))

        let end = try await outbox.sync(transport: Always(result: welcome))
        let entry = try await outbox.entry(key: key)

        guard case .wait(let until, let why, _) = end else {
            return XCTFail("expected a wait, got \(end)")
        }
        XCTAssertEqual(why, WaitReason.notTheServer)
        XCTAssertLessThanOrEqual(until, Date(timeIntervalSinceNow: 15 * 60))
        XCTAssertEqual(entry.state, EntryState.pending)
        XCTAssertEqual(entry.attempts, 0)
    }

    func testARedirectIsNotTheServer() async throws {
        let outbox = try await newOutbox()
        try await outbox.report(draft("ward-7"))
        let there = [Header(name: "Location", value: "http://portal.example/")]

        let end = try await outbox.sync(transport: Always(
            result: UploadResult.response(status: 302, headers: there, body: Data())
        ))

        guard case .wait(_, .notTheServer, _) = end else {
            return XCTFail("expected a wait, got \(end)")
        }
    }

    func testNobodyAtTheAddressRefuses() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key
        guard let nobody = URL(string: "http://127.0.0.1:9") else {
            return XCTFail("no address")
        }

        let end = try await outbox.sync(transport: URLSessionTransport(baseURL: nobody) { "token" })
        let entry = try await outbox.entry(key: key)

        guard case .wait(_, .refused, "the server takes no connection") = end else {
            return XCTFail("expected a wait, got \(end)")
        }
        XCTAssertEqual(entry.state, EntryState.pending)
        XCTAssertEqual(entry.attempts, 0)
    }

    func testWhatATransportThrowsEndsTheSyncAndHandsTheUploadBack() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key
        let keychain = Missing(description: "the keychain is locked")
        guard let somewhere = URL(string: "http://127.0.0.1:9"), let nowhere = URL(string: "ftp://x") else {
            return XCTFail("no address")
        }

        let locked = URLSessionTransport(baseURL: somewhere) { throw keychain }
        let misspelt = URLSessionTransport(baseURL: nowhere) { "token" }

        do {
            try await outbox.sync(transport: locked)
            XCTFail("expected an error")
        } catch {
            XCTAssertTrue(error is Missing, "\(error)")
        }
        do {
            try await outbox.sync(transport: misspelt)
            XCTFail("expected an error")
        } catch {
            XCTAssertEqual((error as? URLError)?.code, URLError.Code.badURL)
        }
        let entry = try await outbox.entry(key: key)
        XCTAssertEqual(entry.state, EntryState.pending)
        XCTAssertEqual(entry.attempts, 0)
    }

    func testACancelledTaskHandsTheUploadBack() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key
        var continuation: AsyncStream<Void>.Continuation?
        let asked = AsyncStream<Void> { continuation = $0 }
        guard let signal = continuation else {
            return XCTFail("no stream")
        }

        let task = Task { try await outbox.sync(transport: Silence(asked: signal)) }
        for await _ in asked {
            break
        }
        let during = try await outbox.entry(key: key)
        task.cancel()
        let outcome = await task.result
        let after = try await outbox.entry(key: key)

        XCTAssertEqual(during.state, EntryState.sending)
        XCTAssertThrowsError(try outcome.get()) { error in
            XCTAssertTrue(error is CancellationError)
        }
        XCTAssertEqual(after.state, EntryState.pending)
        XCTAssertEqual(after.attempts, 0)
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

        for value in [report, entry, next, payload, answer] as [Any] {
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
