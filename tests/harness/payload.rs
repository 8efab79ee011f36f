//! Payloads for tests.

use serde_json::{Value, json};

/// A report made at this moment.
pub fn at(created_at: &str) -> Value {
    json!({
        "locationId": "ward-7",
        "roomNumber": "12B",
        "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
        "isAnonymous": false,
        "createdAt": created_at,
    })
}

/// A report like all others.
pub fn report() -> Value {
    at("2026-11-22T10:15:30.120Z")
}

/// The report of this number: another moment for each.
pub fn numbered(number: usize) -> Value {
    at(&format!(
        "2026-11-{:02}T10:{:02}:{:02}.{:03}Z",
        1 + number / 3_600_000 % 20,
        number / 60_000 % 60,
        number / 1000 % 60,
        number % 1000
    ))
}

/// The same with one field set; `null` takes it away.
///
/// # Panics
/// It is no object.
#[must_use]
#[track_caller]
pub fn with(mut payload: Value, field: &str, value: impl Into<Value>) -> Value {
    let object = payload.as_object_mut().expect("a payload is an object");
    match value.into() {
        Value::Null => drop(object.remove(field)),
        value => drop(object.insert(field.to_owned(), value)),
    }
    payload
}

/// The same, called off.
#[must_use]
pub fn cancelled(payload: Value, reason: &str) -> Value {
    with(payload, "cancellationReason", reason)
}

/// The same, without a name.
#[must_use]
pub fn anonymous(payload: Value) -> Value {
    with(payload, "isAnonymous", true)
}
