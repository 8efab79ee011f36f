//! One payload as text.

use incident_core::{DecodeError, Decoded, Draft, Pointer, SyncPayload, Violation, decode};
use serde::de::IgnoredAny;
use serde_json::Value;

/// A text is a payload, or is refused with reasons that fit it; a payload has one canonical text, which is read as itself,
/// and a form with the same values makes the same payload.
///
/// # Panics
/// It does not hold.
pub fn payloads(data: &[u8]) {
    let decoded = decode(data);
    let tree = serde_json::from_slice::<Value>(data).ok();
    match &decoded {
        Ok(decoded) => {
            is_canonical(&decoded.payload);
            warnings_are_few_and_short(decoded);
            assert!(serde_json::from_slice::<IgnoredAny>(data).is_ok(), "no JSON is a payload");
        }
        Err(DecodeError::Invalid(violations)) => are_in_order(violations),
        Err(DecodeError::Malformed(_)) => assert!(tree.is_none(), "it is JSON"),
    }
    if let Some(draft) = tree.as_ref().and_then(draft) {
        let has_duplicates = matches!(&decoded, Err(DecodeError::Invalid(violations))
            if violations.iter().any(|violation| violation.code == incident_core::Code::DuplicateField));
        let drafted = SyncPayload::from_draft(&draft, 0);
        let same = decoded.map(|decoded| decoded.payload).map_err(|_| ()) == drafted.map_err(|_| ());
        assert!(same || has_duplicates, "a form judges otherwise");
    }
}

/// Whatever is decoded encodes to a text that is decoded to the same, without a warning.
pub(super) fn is_canonical(payload: &SyncPayload) {
    let text = payload.to_canonical_json();
    let again = decode(text.as_bytes());
    assert_eq!(again, Ok(Decoded { payload: payload.clone(), warnings: Vec::new() }));
    assert_eq!(payload.to_canonical_json(), text);
}

fn warnings_are_few_and_short(decoded: &Decoded) {
    assert!(decoded.warnings.len() <= 20);
    for pair in decoded.warnings.windows(2) {
        assert!(pair[0].pointer < pair[1].pointer, "in order, each once");
    }
    for warning in &decoded.warnings {
        // A name of 64 characters, each of which may be written as two, behind the longest parent.
        assert!(warning.pointer.chars().count() <= "/gpsCoordinates/".len() + 2 * 64);
    }
}

/// Each rule of each field is named once, the fields in the order of the contract.
fn are_in_order(violations: &[Violation]) {
    assert!(!violations.is_empty());
    let place = |violation: &Violation| {
        let at = Pointer::ALL.iter().position(|pointer| *pointer == violation.pointer);
        (at, violation.code)
    };
    for (at, one) in violations.iter().enumerate() {
        assert!(violations[at + 1..].iter().all(|other| place(other) != place(one)), "{one:?} twice");
        assert!(!one.detail().is_empty());
    }
}

/// The form with these values, where each has the type that it must have.
fn draft(tree: &Value) -> Option<Draft> {
    let text = |name: &str| match tree.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let point = tree.get("gpsCoordinates")?.as_object()?;
    let coordinates = point.get("coordinates")?.as_array()?;
    let [longitude, latitude] = &coordinates[..] else { return None };
    let created_at = tree.get("createdAt")?.as_str()?.parse::<incident_core::Timestamp>().ok()?;
    (point.get("type")? == "Point").then_some(())?;
    Some(Draft {
        location_id: tree.get("locationId")?.as_str()?.to_owned(),
        room_number: text("roomNumber")?,
        longitude: longitude.as_f64()?,
        latitude: latitude.as_f64()?,
        is_anonymous: tree.get("isAnonymous")?.as_bool()?,
        created_at_ms: Some(created_at.unix_ms()),
        cancellation_reason: text("cancellationReason")?,
    })
}
