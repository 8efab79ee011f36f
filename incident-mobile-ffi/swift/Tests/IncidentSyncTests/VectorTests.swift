import Foundation
import IncidentSync
import XCTest

/// The known answers that every language gives, byte for byte.
final class VectorTests: XCTestCase {
    private struct Keys: Decodable {
        struct Vector: Decodable {
            let reporter: String
            let createdAt: String
            let idempotencyKey: String
        }
        let keys: [Vector]
        let refusedTimestamps: [String]
    }

    private struct Payloads: Decodable {
        struct Accepted: Decodable {
            let payload: String
            let canonical: String
            let ignored: [String]?
        }
        struct Fault: Decodable, Equatable {
            let pointer: String
            let code: String
        }
        struct Refused: Decodable {
            let payload: String
            let errors: [Fault]
        }
        let accepted: [Accepted]
        let refused: [Refused]
    }

    /// `INCIDENT_VECTORS`, or where the repository has them.
    private func read<T: Decodable>(_ name: String, as type: T.Type) throws -> T {
        var folder = URL(fileURLWithPath: #filePath)
        for _ in 0..<5 {
            folder.deleteLastPathComponent()
        }
        folder.appendPathComponent("incident-core/tests/vectors")
        if let given = ProcessInfo.processInfo.environment["INCIDENT_VECTORS"] {
            folder = URL(fileURLWithPath: given)
        }
        return try JSONDecoder().decode(type, from: Data(contentsOf: folder.appendingPathComponent(name)))
    }

    func testEveryKeyIsDerivedAsTheServerDoes() throws {
        let vectors = try read("keys.json", as: Keys.self)
        XCTAssertFalse(vectors.keys.isEmpty)
        for vector in vectors.keys {
            let key = try deriveKey(reporter: vector.reporter, createdAt: vector.createdAt)
            XCTAssertEqual(key, vector.idempotencyKey)
        }
    }

    func testEveryRefusedTimestampIsRefused() throws {
        let vectors = try read("keys.json", as: Keys.self)
        XCTAssertFalse(vectors.refusedTimestamps.isEmpty)
        for text in vectors.refusedTimestamps {
            XCTAssertThrowsError(try deriveKey(reporter: "alice", createdAt: text), text) { error in
                guard case .invalid(let violations)? = error as? OutboxError else {
                    return XCTFail("expected violations, got \(error)")
                }
                XCTAssertEqual(violations.map { $0.code }, ["timestamp"])
            }
        }
    }

    func testEveryAcceptedPayloadHasItsCanonicalBytes() throws {
        let vectors = try read("payloads.json", as: Payloads.self)
        XCTAssertFalse(vectors.accepted.isEmpty)
        for vector in vectors.accepted {
            let found = try canonicalPayload(json: Data(vector.payload.utf8))
            XCTAssertEqual(Data(found.text.utf8), Data(vector.canonical.utf8), vector.payload)
            XCTAssertEqual(found.ignored, vector.ignored ?? [], vector.payload)
        }
    }

    func testEveryRefusedPayloadNamesAllItsFaults() throws {
        let vectors = try read("payloads.json", as: Payloads.self)
        XCTAssertFalse(vectors.refused.isEmpty)
        for vector in vectors.refused {
            XCTAssertThrowsError(try canonicalPayload(json: Data(vector.payload.utf8)), vector.payload) { error in
                guard case .invalid(let violations)? = error as? OutboxError else {
                    return XCTFail("expected violations, got \(error)")
                }
                let faults = violations.map { Payloads.Fault(pointer: $0.pointer, code: $0.code) }
                XCTAssertEqual(faults, vector.errors, vector.payload)
            }
        }
    }
}
