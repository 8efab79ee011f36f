//! What people and callers read, to the letter, and the limits of the contract.

use incident_core::{
    Code, Disposition, Draft, Flaw, IdError, IdSecret, IncidentId, MAX_BATCH_BYTES, MAX_BATCH_ITEMS,
    MAX_PAYLOAD_BYTES, Malformed, OutboxSecret, Pointer, Problem, Reporter, SyncPayload, Violation,
};

#[test]
fn the_limits_are_those_of_the_contract() {
    assert_eq!((MAX_PAYLOAD_BYTES, MAX_BATCH_BYTES, MAX_BATCH_ITEMS), (32_768, 1_048_576, 500));
}

#[test]
fn every_problem_has_a_title_of_its_own_and_says_what_to_do() {
    for (at, problem) in Problem::ALL.iter().enumerate() {
        let title = problem.title();
        assert!(title.split(' ').count() > 2, "{title}");
        assert!(Problem::ALL[..at].iter().all(|other| other.title() != title), "{title}");
    }
    let of = |disposition| Problem::ALL.iter().filter(move |problem| problem.disposition() == disposition);
    let words = |disposition| of(disposition).map(|problem| problem.as_str()).collect::<Vec<_>>().join(" ");
    assert_eq!(words(Disposition::Settled), "gone");
    assert_eq!(words(Disposition::Reauth), "unauthorized forbidden");
    assert_eq!(
        words(Disposition::Retry),
        "not-found cursor-gone method-not-allowed request-timeout rate-limited internal overloaded"
    );
    assert_eq!(of(Disposition::Quarantine).count(), 6);
}

#[test]
fn every_violation_says_where_and_what_to_do() {
    let detail = |pointer, code| Violation { pointer, code }.detail();
    let moment = "createdAt must be an ISO 8601 date-time with an offset, such as 2026-11-22T10:15:30.120Z: a day that \
                  exists, years 1970 to 9999 in UTC, hours to 23, seconds to 59";
    for (pointer, code, expected) in [
        (Pointer::Document, Code::Type, "the document must be a JSON object"),
        (Pointer::LocationId, Code::Required, "locationId is missing"),
        (Pointer::LocationId, Code::Type, "locationId must be a string"),
        (Pointer::LocationId, Code::TooLong, "locationId must have at most 128 characters"),
        (Pointer::RoomNumber, Code::TooLong, "roomNumber must have at most 64 characters"),
        (Pointer::RoomNumber, Code::ControlCharacter, "roomNumber must not hold control characters"),
        (Pointer::CancellationReason, Code::TooLong, "cancellationReason must have at most 1000 characters"),
        (Pointer::CancellationReason, Code::Blank, "cancellationReason must not be blank"),
        (Pointer::CreatedAt, Code::Timestamp, moment),
        (Pointer::CreatedAt, Code::DuplicateField, "createdAt is given more than once"),
        (Pointer::PointType, Code::UnknownValue, "gpsCoordinates.type must be \"Point\""),
        (Pointer::GpsCoordinates, Code::Type, "gpsCoordinates must be a GeoJSON Point object"),
        (
            Pointer::Coordinates,
            Code::Type,
            "gpsCoordinates.coordinates must be an array of exactly two numbers, longitude and latitude",
        ),
        (Pointer::Latitude, Code::Type, "gpsCoordinates.coordinates.1 must be a number"),
        (
            Pointer::Longitude,
            Code::OutOfRange,
            "gpsCoordinates.coordinates.0 must lie between -180 and 180 degrees (longitude comes first)",
        ),
        (
            Pointer::Latitude,
            Code::OutOfRange,
            "gpsCoordinates.coordinates.1 must lie between -90 and 90 degrees",
        ),
        (Pointer::IsAnonymous, Code::Type, "isAnonymous must be true or false"),
        (Pointer::Incidents, Code::Type, "incidents must be an array of payloads"),
        (
            Pointer::IdempotencyKeys,
            Code::Type,
            "idempotencyKeys must be an array of keys or null, as long as incidents",
        ),
    ] {
        assert_eq!(detail(pointer, code), expected);
        assert_eq!(Violation { pointer, code }.to_string(), expected);
    }
}

#[test]
fn what_is_no_json_is_told_by_its_place() {
    assert_eq!(Malformed::NotUtf8 { offset: 6 }.to_string(), "it is no UTF-8 from byte 6 on");
    for (flaw, expected) in [
        (Flaw::Syntax, "the syntax breaks at line 2, column 3"),
        (Flaw::HalfSurrogatePair, "a string holds half of a surrogate pair at line 2, column 3"),
        (Flaw::Number, "a number is larger than any double at line 2, column 3"),
    ] {
        assert_eq!(Malformed::At { flaw, line: 2, column: 3 }.to_string(), expected);
    }
}

#[test]
fn no_secret_and_no_person_is_shown() {
    assert_eq!(format!("{:?}", Reporter::parse("alice").unwrap()), "Reporter(…)");
    assert_eq!(format!("{:?}", IdSecret::new(&[7; 32]).unwrap()), "IdSecret(…)");
    assert_eq!(format!("{:?}", OutboxSecret::new([7; 32])), "OutboxSecret(…)");
    assert_eq!(OutboxSecret::new([7; 32]).as_bytes(), &[7; 32]);
}

#[test]
fn an_id_is_read_as_it_is_written_and_in_capitals() {
    let text = "01a202c0-f648-8114-8d97-64d571c679d1";
    let id: IncidentId = text.parse().unwrap();
    assert_eq!((id.to_string(), text.to_uppercase().parse()), (text.to_owned(), Ok(id)));
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
    for refused in ["", "x", &text.replace('-', ""), &format!("{{{text}}}"), &format!("{text}0")] {
        assert_eq!(refused.parse::<IncidentId>(), Err(IdError), "{refused}");
    }
}

#[test]
fn the_bytes_of_a_payload_are_those_of_its_texts() {
    let mut draft = Draft::new("wärd", 1.0, 2.0);
    let bytes = |draft: &Draft| SyncPayload::from_draft(draft, 0).unwrap().text_bytes();
    assert_eq!(bytes(&draft), 5);
    draft.room_number = Some("12B".to_owned());
    draft.cancellation_reason = Some("false alarm".to_owned());
    assert_eq!(bytes(&draft), 5 + 3 + 11);
}
