//! Payload to text to payload, and the many spellings of one payload.

#[path = "strategies/mod.rs"]
mod strategies;

use incident_core::{
    Draft, IdempotencyKey, Reporter, SyncPayload, Timestamp, decode, decode_batch, encode_batch,
};
use proptest::{collection::vec, prelude::*};
use strategies::payload;

/// Every character as an escape, those beyond the BMP as a surrogate pair (RFC 8259, section 7).
fn escaped(text: &str) -> String {
    text.encode_utf16().fold(String::new(), |out, unit| out + &format!("\\u{unit:04X}"))
}

/// The same moment with another offset, another separator and surplus digits.
fn respelled_moment(moment: Timestamp, offset_minutes: i64) -> String {
    let Ok(local) = Timestamp::from_unix_ms(moment.unix_ms() + offset_minutes * 60_000) else {
        return moment.to_string().to_lowercase();
    };
    let (sign, minutes) = (if offset_minutes < 0 { '-' } else { '+' }, offset_minutes.abs());
    let local = local.to_string().replace('.', ",").replace('Z', "999");
    format!("{local}{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

/// Fields in another order, padded and escaped text, other numbers, another offset.
fn respelled(payload: &SyncPayload, rotation: usize, offset_minutes: i64) -> String {
    let facts = &payload.facts;
    let text = |text: &str| format!("\" \\u3000{}\\t\"", escaped(text));
    let (longitude, latitude) = (facts.gps_coordinates.longitude(), facts.gps_coordinates.latitude());
    let mut fields = [
        format!("\"locationId\" : {}", text(facts.location_id.as_str())),
        format!(
            "\"\\u0067psCoordinates\":{{\"coordinates\":[{longitude:e},\n{latitude:.12}],\"type\":\"Poin\\u0074\"}}"
        ),
        format!("\t\"isAnonymous\":{}", facts.is_anonymous),
        format!("\"createdAt\":\"{}\"", respelled_moment(facts.created_at, offset_minutes)),
        facts
            .room_number
            .as_ref()
            .map_or("\"roomNumber\":null".into(), |room| format!("\"roomNumber\":{}", text(room.as_str()))),
        payload.cancellation_reason.as_ref().map_or("\"later\":[{}]".into(), |reason| {
            format!("\"cancellationReason\":{}", text(reason.as_str()))
        }),
    ];
    let rotation = rotation % fields.len();
    fields.rotate_left(rotation);
    format!(" {{\r\n{}}} ", fields.join(" ,"))
}

proptest! {
    #[test]
    fn a_payload_survives_the_way_through_text(payload in payload()) {
        let decoded = decode(payload.to_canonical_json().as_bytes()).unwrap();
        prop_assert_eq!(decoded.payload, payload);
        prop_assert!(decoded.warnings.is_empty());
    }

    #[test]
    fn every_spelling_has_the_same_canonical_form(payload in payload(), rotation in 0..6_usize, offset in -1439..1440_i64) {
        let decoded = decode(respelled(&payload, rotation, offset).as_bytes()).unwrap();
        prop_assert_eq!(decoded.payload.to_canonical_json(), payload.to_canonical_json());
    }

    #[test]
    fn a_draft_with_the_same_values_is_the_same_payload(payload in payload()) {
        let facts = &payload.facts;
        let draft = Draft {
            location_id: format!(" {}\n", facts.location_id.as_str()),
            room_number: facts.room_number.as_ref().map(|room| room.as_str().to_owned()),
            longitude: facts.gps_coordinates.longitude(),
            latitude: facts.gps_coordinates.latitude(),
            is_anonymous: facts.is_anonymous,
            created_at_ms: Some(facts.created_at.unix_ms()),
            cancellation_reason: payload.cancellation_reason.as_ref().map(|reason| reason.as_str().to_owned()),
        };
        prop_assert_eq!(SyncPayload::from_draft(&draft, 0).unwrap(), payload);
    }

    #[test]
    fn a_batch_survives_the_way_through_text(payloads in vec(payload(), 0..5)) {
        let alice = Reporter::parse("alice").unwrap();
        let key = |payload: &SyncPayload| IdempotencyKey::derive(&alice, payload.facts.created_at);
        let items: Vec<_> = payloads.iter().map(|payload| (payload, key(payload))).collect();
        let decoded = decode_batch(encode_batch(&items).as_bytes()).unwrap();
        let expected: Vec<_> = payloads.iter().map(|payload| Some(Ok(key(payload)))).collect();
        prop_assert_eq!(decoded.iter().map(|item| item.key).collect::<Vec<_>>(), expected);
        let decoded: Vec<_> = decoded.into_iter().map(|item| item.payload.unwrap().payload).collect();
        prop_assert_eq!(decoded, payloads);
    }

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "degrees on earth are small")]
    fn any_finite_degrees_are_kept_to_the_nearest_integer(longitude in -180.0..=180.0_f64, latitude in -90.0..=90.0_f64) {
        let text = format!(r#"{{"locationId":"w","gpsCoordinates":{{"type":"Point","coordinates":[{longitude:?},{latitude:?}]}},"isAnonymous":true,"createdAt":"2026-01-01T00:00Z"}}"#);
        let kept = decode(text.as_bytes()).unwrap().payload.facts.gps_coordinates;
        prop_assert_eq!(i64::from(kept.longitude_e7()), (longitude * 1e7).round() as i64);
        prop_assert_eq!(i64::from(kept.latitude_e7()), (latitude * 1e7).round() as i64);
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in vec(any::<u8>(), 0..200)) {
        let _ = decode(&bytes);
        let _ = decode_batch(&bytes);
    }

    #[test]
    fn keys_are_equal_exactly_for_equal_reporter_and_moment(
        one in "[^\\x00-\\x1f\\x7f]{1,40}", other in "[^\\x00-\\x1f\\x7f]{1,40}",
        at in strategies::timestamp(), later in strategies::timestamp(),
    ) {
        let key = |reporter: &str, at| IdempotencyKey::derive(&Reporter::parse(reporter).unwrap(), at);
        prop_assert_eq!(key(&one, at), key(&one.clone(), at));
        prop_assert_eq!(key(&one, at) == key(&other, at), one == other);
        prop_assert_eq!(key(&one, at) == key(&one, later), at == later);
        prop_assert_eq!(at < later, key(&one, at) < key(&one, later), "time-ordered");
    }
}
