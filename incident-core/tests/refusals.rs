//! What the door lets in and what it does not, beyond the vectors.

use incident_core::{
    BatchError, Code, DecodeError, Draft, Flaw, KeyError, MAX_BATCH_ITEMS, Malformed, Pointer, SyncPayload,
    Timestamp, Violation, decode, decode_batch,
};

const VALID: &str = r#"{"locationId":"w","gpsCoordinates":{"type":"Point","coordinates":[1,2]},"isAnonymous":false,"createdAt":"2026-11-22T10:15Z"}"#;

fn valid_with(field: &str) -> String {
    VALID.replacen('{', &format!("{{{field},"), 1)
}

fn codes(text: &str) -> Vec<(&'static str, Code)> {
    match decode(text.as_bytes()) {
        Err(DecodeError::Invalid(violations)) => {
            violations.iter().map(|v| (v.pointer.as_str(), v.code)).collect()
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_is_no_json_is_malformed_and_says_where() {
    let trailing = format!("{VALID} x");
    for text in ["", "{", "{'a':1}", "{\"a\":1,}", "\u{feff}{}", &trailing, "NaN"] {
        assert_eq!(flaw(text), Flaw::Syntax, "{text}");
    }
    assert_eq!(decode(b"{\"a\":\"\xff\"}"), Err(DecodeError::Malformed(Malformed::NotUtf8 { offset: 6 })));
}

fn flaw(text: &str) -> Flaw {
    match decode(text.as_bytes()) {
        Err(DecodeError::Malformed(Malformed::At { flaw, .. })) => flaw,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn what_breaks_no_syntax_and_cannot_be_read_is_told_apart() {
    for half in [r"a\ud800b", r"\ud800", r"\udfff", r"\ud800\n", r"\ud800\ud800"] {
        assert_eq!(flaw(&VALID.replace(r#""w""#, &format!("\"{half}\""))), Flaw::HalfSurrogatePair, "{half}");
    }
    for beyond in ["1e999", "-1e999", &"9".repeat(400)] {
        assert_eq!(flaw(&VALID.replace("[1,2]", &format!("[{beyond},2]"))), Flaw::Number, "{beyond}");
    }
}

#[test]
fn an_unknown_field_is_skipped_unread_whatever_it_holds() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for value in ["1e999", "-0", r#""\u0000""#, r#"{"a":{"a":1,"a":2}}"#, &deep] {
        let decoded = decode(valid_with(&format!("\"x\":{value}")).as_bytes()).unwrap();
        assert_eq!(decoded.warnings[0].pointer, "/x");
    }
}

#[test]
fn warnings_are_cut_to_64_characters_and_20_names() {
    let fields: Vec<_> = (0..30).rev().map(|n| format!("\"{n:02}{}\":{n}", "é".repeat(100))).collect();
    let warnings = decode(valid_with(&fields.join(",")).as_bytes()).unwrap().warnings;
    assert_eq!(warnings.len(), 20);
    assert!(
        warnings[0].pointer.starts_with("/10"),
        "the first twenty of the text, in the order of their names"
    );
    assert!(warnings.iter().all(|warning| warning.pointer.chars().count() == 65));
}

#[test]
fn a_duplicate_is_answered_alone_however_it_is_spelled() {
    assert_eq!(
        codes(r#"{"locationId":1,"location\u0049d":2,"locationId":3}"#),
        [("/locationId", Code::DuplicateField)]
    );
    assert_eq!(
        codes(&VALID.replace("\"type\"", "\"type\":1,\"type\"")),
        [("/gpsCoordinates/type", Code::DuplicateField)]
    );
}

#[test]
fn a_wrong_type_on_one_axis_hides_no_range_error_on_the_other() {
    let text = VALID.replace("[1,2]", "[null,91]");
    assert_eq!(
        codes(&text),
        [("/gpsCoordinates/coordinates/0", Code::Type), ("/gpsCoordinates/coordinates/1", Code::OutOfRange)]
    );
    let text = VALID.replace("[1,2]", "[181,null]");
    assert_eq!(
        codes(&text),
        [("/gpsCoordinates/coordinates/0", Code::OutOfRange), ("/gpsCoordinates/coordinates/1", Code::Type)]
    );
}

#[test]
fn no_refusal_repeats_the_payload() {
    let text = r#"{"locationId":"\u0007hush","roomNumber":{"hush":1},"createdAt":"hush","isAnonymous":"hush","cancellationReason":["hush"],"gpsCoordinates":{"type":"hush","coordinates":["hush",999]}}"#;
    let Err(DecodeError::Invalid(violations)) = decode(text.as_bytes()) else { panic!("accepted") };
    assert_eq!(violations.len(), 8);
    assert!(!serde_json::to_string(&violations).unwrap().contains("hush"));
    assert!(!format!("{violations:?}").contains("hush"));
}

#[test]
fn a_draft_takes_the_same_checks_as_text() {
    let draft = Draft {
        location_id: " ".into(),
        room_number: Some("\n".into()),
        longitude: f64::NAN,
        latitude: -90.000_000_1,
        is_anonymous: true,
        created_at_ms: Some(Timestamp::MAX.unix_ms() + 1),
        cancellation_reason: Some(String::new()),
    };
    let violations = SyncPayload::from_draft(&draft, 0).unwrap_err();
    let found: Vec<_> = violations.iter().map(|v| (v.pointer.as_str(), v.code)).collect();
    assert_eq!(
        found,
        [
            ("/locationId", Code::Blank),
            ("/gpsCoordinates/coordinates/0", Code::OutOfRange),
            ("/gpsCoordinates/coordinates/1", Code::OutOfRange),
            ("/createdAt", Code::Timestamp),
            ("/cancellationReason", Code::Blank),
        ]
    );
    assert!(SyncPayload::from_draft(&Draft::new("w", 1.0, 2.0), 0).is_ok());
}

#[test]
fn in_a_batch_each_payload_stands_alone() {
    let surrogate = VALID.replace(r#""w""#, r#""\udfff""#);
    let batch = format!(r#"{{"x":1,"incidents":[{VALID},{surrogate},7,{{"locationId":1e999}},{VALID}]}}"#);
    let items: Vec<_> =
        decode_batch(batch.as_bytes()).unwrap().into_iter().map(|item| item.payload).collect();
    assert!(items[0].is_ok() && items[4].is_ok());
    assert!(
        matches!(items[1], Err(DecodeError::Malformed(_)))
            && matches!(items[3], Err(DecodeError::Malformed(_)))
    );
    assert!(matches!(&items[2], Err(DecodeError::Invalid(v)) if v[0].pointer == Pointer::Document));
}

#[test]
fn a_fault_of_the_envelope_refuses_the_batch() {
    let refused = |text: &str| decode_batch(text.as_bytes()).unwrap_err();
    let invalid = |text: &str| match refused(text) {
        BatchError::Invalid(violations) => match &violations[..] {
            [violation] => (violation.pointer.as_str(), violation.code),
            several => panic!("{several:?}"),
        },
        other => panic!("{other:?}"),
    };
    for text in ["[]", "[1,[2]]", "null", "\"x\"", "1"] {
        assert_eq!(invalid(text), ("", Code::Type), "{text}");
    }
    assert_eq!(invalid("{}"), ("/incidents", Code::Required));
    assert_eq!(invalid(r#"{"incidents":null}"#), ("/incidents", Code::Type));
    assert_eq!(invalid(r#"{"incidents":[],"incidents":[]}"#), ("/incidents", Code::DuplicateField));
    assert!(matches!(refused(r#"{"incidents":[}"#), BatchError::Malformed(_)));
    let of = |count| format!(r#"{{"incidents":[{}]}}"#, vec!["0"; count].join(","));
    assert_eq!(refused(&of(MAX_BATCH_ITEMS + 1)), BatchError::TooManyItems);
    assert_eq!(decode_batch(of(MAX_BATCH_ITEMS).as_bytes()).unwrap().len(), MAX_BATCH_ITEMS);
    assert_eq!(decode_batch(br#"{"incidents":[]}"#), Ok(Vec::new()));
}

#[test]
fn each_payload_of_a_batch_has_its_own_key_or_none() {
    let text = "01a202c0-f648-81b8-95f2-469ecf9e3f4e";
    let keys = format!(r#"["{text}",null,"\"{}\"","x",7]"#, text.to_uppercase());
    let batch = format!(r#"{{"idempotencyKeys":{keys},"incidents":[1,2,3,4,5]}}"#);
    let found: Vec<_> = decode_batch(batch.as_bytes()).unwrap().into_iter().map(|item| item.key).collect();
    let key = Some(Ok(text.parse().unwrap()));
    assert_eq!(found, [key, None, key, Some(Err(KeyError)), Some(Err(KeyError))]);
    for absent in ["", r#","idempotencyKeys":null"#] {
        let batch = format!(r#"{{"incidents":[1]{absent}}}"#);
        assert_eq!(decode_batch(batch.as_bytes()).unwrap()[0].key, None);
    }
}

#[test]
fn keys_that_do_not_fit_the_payloads_refuse_the_batch() {
    for (keys, code) in [
        (r#""idempotencyKeys":[]"#, Code::Type),
        (r#""idempotencyKeys":[null,null]"#, Code::Type),
        (r#""idempotencyKeys":{}"#, Code::Type),
        (r#""idempotencyKeys":null,"idempotencyKeys":[null]"#, Code::DuplicateField),
    ] {
        let refused = decode_batch(format!(r#"{{"incidents":[1],{keys}}}"#).as_bytes()).unwrap_err();
        let violation = Violation { pointer: Pointer::IdempotencyKeys, code };
        assert_eq!(refused, BatchError::Invalid(vec![violation]), "{keys}");
    }
}

#[test]
fn all_faults_of_an_envelope_are_told_at_once() {
    let refused = decode_batch(br#"{"incidents":5,"idempotencyKeys":5}"#).unwrap_err();

    let of = |pointer| Violation { pointer, code: Code::Type };
    assert_eq!(refused, BatchError::Invalid(vec![of(Pointer::Incidents), of(Pointer::IdempotencyKeys)]));
}
