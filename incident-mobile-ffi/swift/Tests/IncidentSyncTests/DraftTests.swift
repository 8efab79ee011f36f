import Foundation
import IncidentSync
import XCTest
#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a draft may say.
final class DraftTests: XCTestCase {
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
}
