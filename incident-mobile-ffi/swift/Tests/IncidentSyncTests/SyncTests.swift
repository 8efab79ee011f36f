import Foundation
import IncidentSync
import XCTest
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// Uploads that do not reach the server, and what becomes of their entries.
final class SyncTests: XCTestCase {
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

    func testATransportThatCancelsEndsTheSync() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key

        let end = try await outbox.sync(transport: Always(result: .cancelled))
        let entry = try await outbox.entry(key: key)

        guard case .wait(_, .noAnswer, "the transport cancelled the upload") = end else {
            return XCTFail("expected a wait, got \(end)")
        }
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
}
