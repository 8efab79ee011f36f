//! A report becomes an incident.

use incident_core::{IdempotencyKey, Reporter};
use incident_tests::{Server, payload};
use serde_json::json;

#[tokio::test]
async fn a_report_is_created_and_can_be_read_where_location_says() {
    let server = Server::start().await;
    let alice = server.client("alice");

    let created = alice.sync(&payload::report()).await;

    assert_eq!(created.said(), (201, "created".into()));
    assert_eq!(created.header("content-type"), "application/json");
    assert_eq!(created.header("location"), format!("/api/incidents/{}", created.id()));
    let read = alice.get(&created.header("location")).await;
    assert_eq!((read.status, read.body), (200, created.body["incident"].clone()));
}

#[tokio::test]
async fn the_answer_holds_what_was_sent_in_canonical_form() {
    let server = Server::start().await;
    let sent = payload::with(payload::at("2026-11-22T11:15:30,12+01"), "roomNumber", " 12B\u{a0}");

    let mut answer = server.client("alice").sync(&sent).await.body;

    let incident = answer["incident"].as_object_mut().unwrap();
    assert!(incident.remove("id").is_some() && incident.remove("receivedAt").is_some());
    let expected = json!({
        "status": "Open", "locationId": "ward-7", "roomNumber": "12B", "isAnonymous": false,
        "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
        "createdAt": "2026-11-22T10:15:30.120Z", "clockSuspect": false,
    });
    assert_eq!(answer["incident"], expected);
    assert_eq!(answer["disposition"], "settled");
    assert_eq!(answer.get("warnings"), None);
}

#[tokio::test]
async fn the_key_is_the_derived_one_and_the_id_is_another() {
    let server = Server::start().await;
    let derived = IdempotencyKey::derive(
        &Reporter::parse("alice").unwrap(),
        "2026-11-22T10:15:30.120Z".parse().unwrap(),
    );

    let answer = server.client("alice").sync(&payload::report()).await;

    assert_eq!(answer.body["idempotencyKey"], derived.to_string());
    assert_ne!(answer.id(), derived.to_string());
    assert_eq!(answer.id()[..13], derived.to_string()[..13], "both begin with the moment");
}

#[tokio::test]
async fn two_reporters_at_one_moment_are_two_incidents() {
    let server = Server::start().await;

    let alices = server.client("alice").sync(&payload::report()).await;
    let bobs = server.client("bob").sync(&payload::report()).await;

    assert_eq!((alices.status, bobs.status), (201, 201));
    assert_ne!(alices.id(), bobs.id());
}

#[tokio::test]
async fn an_unknown_field_is_a_warning_and_no_refusal() {
    let server = Server::start().await;
    let long = "x".repeat(100);
    let sent =
        payload::with(payload::with(payload::report(), "cancelationReason", "typo"), &long, json!([1]));

    let answer = server.client("alice").sync(&sent).await;

    assert_eq!(answer.status, 201);
    let pointers: Vec<_> =
        answer.body["warnings"].as_array().unwrap().iter().map(|w| &w["pointer"]).collect();
    assert!(pointers.contains(&&json!("/cancelationReason")), "{pointers:?}");
    assert!(pointers.contains(&&json!(format!("/{}", &long[..64]))), "{pointers:?}");
    assert!(answer.body["warnings"].as_array().unwrap().iter().all(|w| w["code"] == "unknown-field"));
}

#[tokio::test]
async fn a_wrong_clock_marks_the_report_and_does_not_block_it() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for (moment, suspect) in
        [("2019-12-31T23:59:59.999Z", true), ("2020-01-01T00:00:00Z", false), ("2999-01-01T00:00:00Z", true)]
    {
        let answer = alice.sync(&payload::at(moment)).await;
        assert_eq!(
            (answer.status, &answer.body["incident"]["clockSuspect"]),
            (201, &json!(suspect)),
            "{moment}"
        );
    }
}
