//! The idempotency keys of reports: derived from who reports, or sealed by an outbox.

use incident_core::{IdempotencyKey, OutboxSecret, Reporter, Timestamp};
use serde_json::Value;

/// The key that everybody can derive who knows this person.
///
/// # Panics
/// The payload has no moment.
pub fn derived(sub: &str, payload: &Value) -> String {
    IdempotencyKey::derive(&reporter(sub), moment(payload)).to_string()
}

/// The key that this person's outbox makes of an anonymous report, its secret being 32 times this byte.
///
/// # Panics
/// The payload has no moment.
pub fn sealed(secret: u8, sub: &str, payload: &Value) -> String {
    IdempotencyKey::seal(&OutboxSecret::new([secret; 32]), &reporter(sub), moment(payload)).to_string()
}

fn reporter(sub: &str) -> Reporter {
    Reporter::parse(sub).expect("a person of a test has a name")
}

fn moment(payload: &Value) -> Timestamp {
    let text = payload["createdAt"].as_str().expect("a payload has a moment");
    text.parse().expect("a test's moment is valid")
}
