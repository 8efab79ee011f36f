import Foundation
import IncidentSync
import IncidentSyncTesting
import XCTest

/// What an app's own test does: no server, no network, no sleep.
final class FakeServerTests: XCTestCase {
    private let start = Date(timeIntervalSince1970: 1_795_342_530.120)

    func testAReportArrivesIsCancelledAndIsErased() async throws {
        let server = try FakeServer(reporter: "alice", now: start)
        let outbox = try await server.open(path: newPath(), reporter: "alice")
        let plain = Draft(locationId: "ward-7", longitude: 12.4924, latitude: 41.8902)
        let key = try await outbox.report(plain).key
        let first = try await outbox.sync(transport: server)
        try await outbox.cancel(key: key, reason: "false alarm")
        let second = try await outbox.sync(transport: server)
        XCTAssertEqual([first, second], [.idle, .idle])
        let incident = try XCTUnwrap(try server.incidents().first)
        XCTAssertEqual(incident.reporter, "alice")
        XCTAssertEqual(incident.cancellationReason, "false alarm")
        try server.erase(id: incident.id)
        XCTAssertNil(try server.incidents().first?.status)
    }

    func testABusyServerIsAskedAgainWhenTheClockSaysSo() async throws {
        let server = try FakeServer(reporter: "alice", now: start)
        let outbox = try await server.open(path: newPath(), reporter: "alice")
        try await outbox.report(Draft(locationId: "ward-7", longitude: 12.4924, latitude: 41.8902))
        try server.order(.busy(retryAfterS: 30))
        guard case .wait(let until, let why, _) = try await outbox.sync(transport: server) else {
            return XCTFail("no wait")
        }
        XCTAssertEqual(why, .serverBusy)
        XCTAssertGreaterThanOrEqual(until.timeIntervalSince(start), 30)
        try server.turn(to: until)
        let end = try await outbox.sync(transport: server)
        XCTAssertEqual(end, .idle)
        XCTAssertEqual(try server.uploads(), 2)
    }

    func testNonsenseIsToldInWords() throws {
        let server = try FakeServer(reporter: "alice")
        XCTAssertThrowsError(try server.order(.offline, times: 0)) { XCTAssertTrue($0 is Nonsense) }
        XCTAssertThrowsError(try server.order(.busy(retryAfterS: -1))) { XCTAssertTrue($0 is Nonsense) }
        XCTAssertThrowsError(try server.erase(id: "no id")) { XCTAssertTrue($0 is Nonsense) }
        XCTAssertThrowsError(try server.turn(to: .distantPast)) { XCTAssertTrue($0 is Nonsense) }
        XCTAssertThrowsError(try FakeServer(reporter: "")) { XCTAssertTrue($0 is Nonsense) }
    }
}
