//! What needs no outbox.

use incident_core::{IdempotencyKey, Reporter, SyncPayload, Timestamp};

use super::{CanonicalPayload, Draft, OutboxError};
use crate::outbox::{self, Moment};

/// Checks a draft as `report` would, and gives its canonical payload; `now` stands in for an absent time.
///
/// # Errors
/// [`OutboxError::Invalid`] with every violation.
#[uniffi::export]
pub fn validate_draft(draft: Draft, now: Moment) -> Result<String, OutboxError> {
    let payload = SyncPayload::from_draft(&draft.into(), now.0).map_err(outbox::OutboxError::Invalid)?;
    Ok(payload.to_canonical_json())
}

/// The idempotency key of what `reporter` reported at `created_at`, an ISO 8601 date-time with an offset.
///
/// # Errors
/// [`OutboxError::InvalidReporter`], or [`OutboxError::Invalid`] for the time.
#[uniffi::export]
pub fn derive_key(reporter: String, created_at: String) -> Result<String, OutboxError> {
    let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
    let violation = incident_core::Violation {
        pointer: incident_core::Pointer::CreatedAt,
        code: incident_core::Code::Timestamp,
    };
    let created_at: Timestamp =
        created_at.parse().map_err(|_| OutboxError::Invalid { violations: vec![violation.into()] })?;
    Ok(IdempotencyKey::derive(&reporter, created_at).to_string())
}

/// Reads a payload as the server would.
///
/// # Errors
/// [`OutboxError::Malformed`], or [`OutboxError::Invalid`] with every violation.
#[uniffi::export]
pub fn canonical_payload(json: Vec<u8>) -> Result<CanonicalPayload, OutboxError> {
    Ok(incident_core::decode(&json)?.into())
}
