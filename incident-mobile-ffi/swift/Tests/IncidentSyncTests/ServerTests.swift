import Foundation
import IncidentSync
import XCTest

/// Against the real server.
final class ServerTests: XCTestCase {
    func testAReportMadeOfflineIsSettledBySync() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 1)).key

        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)

        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.state, EntryState.settled)
        XCTAssertEqual(entry.incident?.outcome, Outcome.created)
        XCTAssertEqual(entry.incident?.status, IncidentStatus.open)
    }

    func testAReportCancelledOfflineArrivesCancelledWithBothInItsHistory() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 2)).key
        try await outbox.cancel(key: key, reason: "false alarm")

        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)
        let kinds = try await history(of: entry.incident?.id ?? "none")

        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.incident?.outcome, Outcome.createdAndCancelled)
        XCTAssertEqual(entry.incident?.status, IncidentStatus.cancelled)
        XCTAssertEqual(kinds, ["created", "cancelled"])
    }

    func testALostAnswerMakesNoDuplicate() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 3)).key

        let lost = try await outbox.sync(transport: LosesAnswers(inner: try server()))
        try await outbox.retry(key: key)
        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)
        let kinds = try await history(of: entry.incident?.id ?? "none")

        guard case .wait(_, .offline, _) = lost else {
            return XCTFail("expected a wait, got \(lost)")
        }
        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.incident?.outcome, Outcome.unchanged)
        XCTAssertEqual(kinds, ["created"])
    }

    func testABadTokenPausesTheQueueUntilThereIsANewOne() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 4)).key
        let wallet = Wallet(token: "expired")
        let transport = URLSessionTransport(baseURL: try serverURL()) { await wallet.token }

        let refused = try await outbox.sync(transport: transport)
        await wallet.put(try variable("INCIDENT_TOKEN"))
        let stillRefused = try await outbox.sync(transport: transport)
        try await outbox.tokenChanged()
        let end = try await outbox.sync(transport: transport)
        let entry = try await outbox.entry(key: key)

        XCTAssertEqual(refused, SyncEnd.signIn(why: .unauthorized, detail: "the server wants a valid access token"))
        XCTAssertEqual(stillRefused, SyncEnd.signIn(why: .unauthorized, detail: "the server wants a valid access token"))
        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.state, EntryState.settled)
    }

    func testABatchThatIsTooLargeIsHalved() async throws {
        let outbox = try await newOutbox()
        for number in 0..<5 {
            try await outbox.report(draft("ward-\(number)", hoursAgo: 5, plusMs: Int64(number)))
        }
        let proxy = SmallProxy(inner: try server(), most: 2)

        let end = try await outbox.sync(transport: proxy)
        let summary = try await outbox.summary()
        let sizes = await proxy.sizes

        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(summary.settled, 5)
        // One more after each that was not too much.
        XCTAssertEqual(sizes, [5, 2, 3, 1, 2])
    }

    func testOneBadEntryHoldsNoOtherUp() async throws {
        let there = draft("ward-1", hoursAgo: 6)
        let firstPhone = try await newOutbox()
        try await firstPhone.report(there)
        try await firstPhone.sync(transport: try server())
        var elsewhere = there
        elsewhere.locationId = "ward-2"

        let secondPhone = try await newOutbox()
        let bad = try await secondPhone.report(elsewhere).key
        try await secondPhone.report(draft("ward-3", hoursAgo: 7))
        try await secondPhone.report(draft("ward-4", hoursAgo: 8))
        let end = try await secondPhone.sync(transport: try server())
        let entry = try await secondPhone.entry(key: bad)
        let summary = try await secondPhone.summary()

        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(summary.settled, 2)
        XCTAssertEqual(entry.state, EntryState.quarantined)
        XCTAssertEqual(entry.problem?.slug, "idempotency-conflict")
        XCTAssertEqual(entry.problem?.fields, ["locationId"])
    }

    func testAnotherReporterSendsNothingOfTheFirst() async throws {
        let path = newPath()
        let alice = try await Outbox.open(path: path, reporter: "alice")
        let key = try await alice.report(draft("ward-7", hoursAgo: 9)).key
        try await alice.close()

        let bob = try await Outbox.open(path: path, reporter: "bob")
        let bobsEnd = try await bob.sync(transport: try server(tokenFrom: "INCIDENT_TOKEN_BOB"))
        let seenByBob = try await bob.summary()
        try await bob.close()
        let back = try await Outbox.open(path: path, reporter: "alice")
        let end = try await back.sync(transport: try server())
        let entry = try await back.entry(key: key)

        XCTAssertEqual(bobsEnd, SyncEnd.idle)
        XCTAssertEqual(seenByBob.pending, 0)
        XCTAssertEqual(seenByBob.ofOthers, 1)
        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.state, EntryState.settled)
    }

    func testUnderAnotherPersonsTokenNothingIsStored() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 12)).key

        let refused = try await outbox.sync(transport: try server(tokenFrom: "INCIDENT_TOKEN_BOB"))
        let waiting = try await outbox.entry(key: key)
        try await outbox.tokenChanged()
        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)

        guard case .signIn(.wrongReporter, _) = refused else {
            return XCTFail("expected a sign-in, got \(refused)")
        }
        XCTAssertEqual(waiting.state, EntryState.pending)
        XCTAssertEqual(waiting.attempts, 0)
        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.incident?.outcome, Outcome.created)
    }

    func testAnAnonymousReportWaitsBehindANamedOne() async throws {
        let outbox = try await newOutbox()
        var hidden = draft("hidden", hoursAgo: 11)
        hidden.isAnonymous = true
        try await outbox.report(hidden)
        try await outbox.report(draft("named", hoursAgo: 12))

        let end = try await outbox.sync(transport: try server())
        let summary = try await outbox.summary()

        guard case .wait(_, .spacing, _) = end else {
            return XCTFail("expected a wait, got \(end)")
        }
        XCTAssertEqual([summary.settled, summary.pending], [1, 1])
    }

    func testAnAppMayKeepNoSettledReportAndSpaceNoAnonymousOne() async throws {
        let settings = OutboxSettings(settledForMs: 0, longestSpacingMs: 0)
        let outbox = try await Outbox.open(path: newPath(), reporter: "alice", settings: settings)
        var hidden = draft("hidden", hoursAgo: 13)
        hidden.isAnonymous = true
        try await outbox.report(hidden)
        try await outbox.report(draft("named", hoursAgo: 14))

        let end = try await outbox.sync(transport: try server())
        let left = try await outbox.entries()

        XCTAssertEqual(end, .idle)
        XCTAssertEqual(left, [])
    }

    func testAnAppThatIsKilledWhileSendingSendsAgain() async throws {
        let path = newPath()
        let killed = try await Outbox.open(path: path, reporter: "alice")
        let key = try await killed.report(draft("ward-7", hoursAgo: 10)).key
        guard case .send(let upload) = try await killed.nextUpload() else {
            return XCTFail("expected an upload")
        }
        let transport = try server()
        _ = try await transport.send(upload)
        try await killed.close()

        let outbox = try await Outbox.open(path: path, reporter: "alice")
        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)

        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.incident?.outcome, Outcome.unchanged)
    }

    func testTenThousandEntriesGoWithProgress() async throws {
        let outbox = try await newOutbox()
        for number in 0..<10_000 {
            try await outbox.report(draft("ward-7", hoursAgo: 11, plusMs: Int64(number)))
        }
        let tally = Tally()

        let end = try await outbox.sync(transport: try server()) { step in tally.add(step) }

        XCTAssertEqual(end, SyncEnd.idle)
        let settled = tally.all.map { $0.settled }
        XCTAssertEqual(settled, [Int64](repeating: 100, count: 100))
        XCTAssertEqual(tally.all.last?.pending, 0)
    }
}
