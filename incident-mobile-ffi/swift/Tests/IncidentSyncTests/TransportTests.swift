import Foundation
import IncidentSync
import XCTest

/// What `URLSession` would do by itself is switched off: one upload is one request, and not every answer is read.
final class TransportTests: XCTestCase {
    private func transport(_ path: String, token: String? = "token") throws -> URLSessionTransport {
        let address = try variable("INCIDENT_ANSWERS_URL") + "/" + path
        guard let url = URL(string: address) else {
            throw Missing(description: "no address: " + address)
        }
        return URLSessionTransport(baseURL: url) { token }
    }

    private func send(_ path: String, token: String? = "token") async throws -> (status: Int64, body: Data) {
        let upload = Upload(
            id: 1,
            method: "POST",
            path: "/api/incidents/sync",
            headers: [Header(name: "Content-Type", value: "application/json")],
            body: Data("{}".utf8),
            timeoutMs: 30_000
        )
        let result = try await transport(path, token: token).send(upload)
        guard case .response(let status, _, let body) = result else {
            throw Missing(description: "no answer")
        }
        return (status, body)
    }

    func testAnAnswerOfTheLongestLengthIsReadAndALongerOneIsNot() async throws {
        let longest = try await send("longest")
        let tooLong = try await send("too-long")
        let endless = try await send("endless")

        XCTAssertEqual(longest.body.count, 1024 * 1024)
        XCTAssertEqual(tooLong.body.count, 0)
        XCTAssertEqual(endless.status, 200)
        XCTAssertEqual(endless.body.count, 0)
    }

    func testAnAnswerThatIsTooLongIsWaitedForLikeAPortals() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7")).key

        let end = try await outbox.sync(transport: try transport("endless"))
        let entry = try await outbox.entry(key: key)

        guard case .wait(_, .notTheServer, _) = end else {
            return XCTFail("expected a wait, got \(end)")
        }
        XCTAssertEqual(entry.state, EntryState.pending)
        XCTAssertEqual(entry.attempts, 0)
    }

    func testAnAnonymousReportGoesOnAConnectionOfItsOwn() async throws {
        let transport = try transport("peer")
        var peers: [Data] = []
        for headers in [[], [Header(name: "Connection", value: "close")], []] {
            let upload = Upload(
                id: 1, method: "POST", path: "/", headers: headers, body: Data("{}".utf8), timeoutMs: 30_000
            )
            guard case .response(_, _, let body) = try await transport.send(upload) else {
                throw Missing(description: "no answer")
            }
            peers.append(body)
        }

        XCTAssertEqual(peers[0], peers[2])
        XCTAssertNotEqual(peers[0], peers[1])
    }

    func testAnAnonymousReportGoesWithoutCookiesAndBringsNone() async throws {
        let transport = try transport("cookie")
        let apart = [Header(name: "Connection", value: "close")]
        var told: [String] = []
        for (path, headers) in [("/named", []), ("/anonymous", apart), ("/named", [])] {
            let upload = Upload(
                id: 1, method: "POST", path: path, headers: headers, body: Data("{}".utf8), timeoutMs: 30_000
            )
            guard case .response(_, _, let body) = try await transport.send(upload) else {
                throw Missing(description: "no answer")
            }
            told.append(String(decoding: body, as: UTF8.self))
        }

        XCTAssertEqual(told, ["none", "none", "visitor=named"])
    }

    func testNoRedirectIsFollowed() async throws {
        let answer = try await send("redirect")

        XCTAssertEqual(answer.status, 302)
    }

    func testATokenThatNoHeaderCanCarryIsNone() async throws {
        for token in ["secret\n", "secret\r\nX: y", "s\u{e9}cret", " secret", ""] {
            let told = try await send("token", token: token).body
            XCTAssertEqual(String(decoding: told, as: UTF8.self), "none")
        }
        let told = try await send("token", token: "secret").body
        XCTAssertEqual(String(decoding: told, as: UTF8.self), "Bearer secret")
    }

    func testEachFailureOfTheNetworkHasItsKind() async throws {
        let answers = try variable("INCIDENT_ANSWERS_URL")
        #if canImport(FoundationNetworking)
        // Foundation on Linux has no word for it (Swift 6.0.3).
        let insecure = NetworkFailureKind.other
        #else
        let insecure = NetworkFailureKind.tls
        #endif
        let cases: [(String, NetworkFailureKind, Bool)] = [
            ("http://incidents.invalid", .offline, false),
            ("http://127.0.0.1:9", .refused, false),
            (answers.replacingOccurrences(of: "http:", with: "https:"), insecure, false),
            (answers + "/silence", .timedOut, true),
            (answers + "/broken", .other, true),
        ]
        for (address, kind, sent) in cases {
            let url = try XCTUnwrap(URL(string: address))
            // Only silence is waited out: a busy machine may be slow to learn that there is no such name.
            let timeoutMs: Int64 = kind == .timedOut ? 2_000 : 60_000
            let upload = Upload(
                id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: timeoutMs
            )
            let result = try await URLSessionTransport(baseURL: url) { "token" }.send(upload)
            guard case .networkFailure(let got, let detail, let left) = result else {
                return XCTFail("\(address): expected a failure, got \(result)")
            }
            XCTAssertEqual(got, kind, "\(address): \(detail)")
            XCTAssertEqual(left, sent, address)
        }
    }

    func testWhatTookTooLongBeforeItLeftWasNotSent() async throws {
        let upload = Upload(id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: 500)
        let answers = try XCTUnwrap(URL(string: variable("INCIDENT_ANSWERS_URL") + "/silence"))
        let noTLS = try XCTUnwrap(URL(string: variable("INCIDENT_SILENCE_URL")))
        let slow = URLSessionTransport(baseURL: answers) {
            try await Task.sleep(nanoseconds: 60_000_000_000)
            return "token"
        }

        for transport in [slow, URLSessionTransport(baseURL: noTLS) { "token" }] {
            guard case .networkFailure(_, let detail, let sent) = try await transport.send(upload) else {
                return XCTFail("expected a failure")
            }
            XCTAssertFalse(sent, detail)
        }
    }

    func testATokenThatHeedsNoCancellationHoldsUpNothing() async throws {
        let deaf = URLSessionTransport(baseURL: try XCTUnwrap(URL(string: "http://127.0.0.1:9"))) {
            await withCheckedContinuation { never in
                DispatchQueue.global().asyncAfter(deadline: .now() + 30) { never.resume() }
            }
            return "token"
        }
        let upload = Upload(id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: 100)
        let began = Date()

        let late = try await deaf.send(upload)
        let stopped = Task { try await deaf.send(upload) }
        stopped.cancel()
        let outcome = try await stopped.value

        XCTAssertEqual(late, .networkFailure(kind: .timedOut, detail: "no answer in time", sent: false))
        XCTAssertEqual(outcome, .cancelled)
        XCTAssertLessThan(Date().timeIntervalSince(began), 20)
    }

    func testATokenThatCannotBeFetchedIsNoRequestThatLeft() async throws {
        let url = try XCTUnwrap(URL(string: "http://127.0.0.1:9"))
        let upload = Upload(id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: 30_000)

        let result = try await URLSessionTransport(baseURL: url) { throw URLError(.timedOut) }.send(upload)

        XCTAssertEqual(result, .networkFailure(kind: .timedOut, detail: "URLError -1001", sent: false))
    }

    func testAnAddressWithAUserAQueryOrAFragmentIsNone() async throws {
        let upload = Upload(id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: 30_000)
        for address in ["http://alice:pw@127.0.0.1:9", "http://127.0.0.1:9?a=b", "http://127.0.0.1:9/#f"] {
            let transport = URLSessionTransport(baseURL: try XCTUnwrap(URL(string: address))) { nil }
            do {
                let result = try await transport.send(upload)
                XCTFail("\(address): \(result)")
            } catch {
                XCTAssertEqual((error as? URLError)?.code, .badURL, address)
            }
        }
    }

    func testAnUploadWithoutTimeIsATimeOut() async throws {
        let upload = Upload(id: 1, method: "POST", path: "/", headers: [], body: Data("{}".utf8), timeoutMs: -1)

        guard case .networkFailure(.timedOut, "no answer in time", _) = try await transport("silence").send(upload) else {
            return XCTFail("expected a time-out")
        }
    }

    func testAFirewallsPageIsWaitedOutAndAnotherNetworkEndsTheWait() async throws {
        let outbox = try await newOutbox()
        let key = try await outbox.report(draft("ward-7", hoursAgo: 13)).key
        try await outbox.report(draft("ward-8", hoursAgo: 14))

        let blocked = try await outbox.sync(transport: try transport("firewall"))
        try await outbox.networkChanged()
        let end = try await outbox.sync(transport: try server())
        let entry = try await outbox.entry(key: key)

        guard case .wait(_, .notTheServer, _) = blocked else {
            return XCTFail("expected a wait, got \(blocked)")
        }
        XCTAssertEqual(end, SyncEnd.idle)
        XCTAssertEqual(entry.state, EntryState.settled)
    }
}
