//! The request that entries make.

use super::{
    super::limits::{BATCH_TIMEOUT_MS, SINGLE_TIMEOUT_MS},
    in_flight::Item,
    protocol::{Header, Upload},
};

/// One entry alone.
pub const SYNC_PATH: &str = "/api/incidents/sync";
/// Several at once.
pub const BATCH_PATH: &str = "/api/incidents/sync/batch";

/// The request for these entries, which are one or more.
pub(crate) fn request(id: i64, items: &[Item]) -> Upload {
    let mut headers = vec![
        header("Content-Type", "application/json"),
        header("Accept", "application/json, application/problem+json"),
    ];
    if items.iter().any(|item| item.anonymous) {
        // On a connection of its own, so that nothing on the way sees it in one go with a named one.
        headers.push(header("Connection", "close"));
    }
    let (path, body, timeout_ms) = if let [only] = items {
        headers.push(header("Idempotency-Key", &format!("\"{}\"", only.key)));
        (SYNC_PATH, only.payload.clone(), SINGLE_TIMEOUT_MS)
    } else {
        (BATCH_PATH, batch(items), BATCH_TIMEOUT_MS)
    };
    Upload { id, method: "POST".into(), path: path.into(), headers, body: body.into_bytes(), timeout_ms }
}

/// Canonical texts side by side are what `incident_core::encode_batch` writes. The keys keep the server from storing
/// them as another person's, under another token.
fn batch(items: &[Item]) -> String {
    let payloads: Vec<_> = items.iter().map(|item| item.payload.as_str()).collect();
    let keys: Vec<_> = items.iter().map(|item| format!("\"{}\"", item.key)).collect();
    let (payloads, keys) = (payloads.join(","), keys.join(","));
    format!("{{\"incidents\":[{payloads}],\"idempotencyKeys\":[{keys}]}}")
}

fn header(name: &str, value: &str) -> Header {
    Header { name: name.into(), value: value.into() }
}
