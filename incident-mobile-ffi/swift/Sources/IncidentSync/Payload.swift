import Foundation
import IncidentSyncGenerated

/// Checks a draft as `report` would, and gives its canonical payload; `now` stands in for an absent time.
public func validateDraft(
    _ draft: Draft,
    now: Date = Date()
) throws -> String {
    try typed { try IncidentSyncGenerated.validateDraft(draft: draft, now: now) }
}

/// The idempotency key of what `reporter` reported at `createdAt`, an ISO 8601 date-time with an offset.
public func deriveKey(reporter: String, createdAt: String) throws -> String {
    try typed { try IncidentSyncGenerated.deriveKey(reporter: reporter, createdAt: createdAt) }
}

/// Reads a payload in JSON as the server would.
public func canonicalPayload(json: Data) throws -> CanonicalPayload {
    try typed { try IncidentSyncGenerated.canonicalPayload(json: json) }
}
