//! The keys of reports, as a phone makes them and as somebody who knows everything recomputes them.

use incident_core::{IdSecret, IdempotencyKey, IncidentId, IncidentKey, OutboxSecret, Reporter};

use crate::world::moment;

pub(crate) fn reporter(sub: &str) -> Reporter {
    Reporter::parse(sub).expect("a made-up sub is valid")
}

/// The key of a report, sealed with an outbox's secret.
pub(crate) fn sealed(sub: &str, created_ms: i64, secret: [u8; 32]) -> String {
    let secret = OutboxSecret::new(secret);
    IdempotencyKey::seal(&secret, &reporter(sub), moment(created_ms)).to_string()
}

/// The key that everybody can derive.
pub(crate) fn derived(reporter: &Reporter, created_ms: i64) -> IdempotencyKey {
    IdempotencyKey::derive(reporter, moment(created_ms))
}

/// Every id that an incident of this person at this moment would have, as far as the key can be recomputed.
pub(crate) fn recomputed(secret: &IdSecret, reporter: &Reporter, created_ms: i64) -> [IncidentId; 2] {
    let key = derived(reporter, created_ms);
    [IncidentKey::Derived(key), IncidentKey::Sealed(key)].map(|key| IncidentId::derive(secret, key))
}
