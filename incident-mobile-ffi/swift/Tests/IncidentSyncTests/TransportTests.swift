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
}
