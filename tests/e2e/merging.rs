//! Every row of the table: what is stored, what is sent, what happens.

use incident_tests::{Answer, Server, payload};
use serde_json::{Value, json};

/// Sends payloads in order; returns the last answer and the kinds of events at the end.
async fn after(payloads: &[Value]) -> (Answer, Vec<String>) {
    let server = Server::start().await;
    let alice = server.client("alice");
    let mut answers = Vec::new();
    for payload in payloads {
        answers.push(alice.sync(payload).await);
    }
    let kinds = alice.kinds(&answers[0].id()).await;
    (answers.pop().unwrap(), kinds)
}

#[tokio::test]
async fn every_row_of_the_table_has_its_outcome() {
    let open = payload::report;
    let cancelled = |reason| payload::cancelled(payload::report(), reason);
    let rows: [(&[Value], u16, &str, &[&str]); 8] = [
        (&[open()], 201, "created", &["created"]),
        (&[cancelled("a")], 201, "createdAndCancelled", &["created", "cancelled"]),
        (&[open(), open()], 200, "unchanged", &["created"]),
        (&[open(), cancelled("a")], 200, "cancelled", &["created", "cancelled"]),
        (&[cancelled("a"), open()], 200, "unchanged", &["created", "cancelled"]),
        (&[cancelled("a"), cancelled("a")], 200, "unchanged", &["created", "cancelled"]),
        (
            &[cancelled("a"), cancelled("b")],
            200,
            "alreadyCancelled",
            &["created", "cancelled", "cancellationRestated"],
        ),
        (
            &[cancelled("a"), cancelled("b"), cancelled("b")],
            200,
            "alreadyCancelled",
            &["created", "cancelled", "cancellationRestated"],
        ),
    ];

    for (sent, status, outcome, events) in rows {
        let (answer, kinds) = after(sent).await;
        assert_eq!(answer.said(), (status, outcome.to_owned()), "{sent:?}");
        assert_eq!(answer.body["disposition"], "settled");
        assert_eq!(kinds, events, "{sent:?}");
    }
}

#[tokio::test]
async fn another_fact_is_a_conflict_that_names_it_and_changes_nothing() {
    let changes = [
        ("locationId", json!("ward-8")),
        ("roomNumber", json!("12C")),
        ("roomNumber", Value::Null),
        ("gpsCoordinates", json!({ "type": "Point", "coordinates": [12.4924, 41.890_200_1] })),
        ("isAnonymous", json!(true)),
    ];
    for stored in [payload::report(), payload::cancelled(payload::report(), "a")] {
        for (field, value) in &changes {
            let other = payload::with(payload::cancelled(payload::report(), "b"), field, value.clone());
            let server = Server::start().await;
            let alice = server.client("alice");
            let first = alice.sync(&stored).await;

            let answer = alice.sync(&other).await;

            assert_eq!(answer.said(), (409, "idempotency-conflict".into()));
            assert_eq!(answer.body["fields"], json!([field]));
            let now = alice.get(&first.header("location")).await.body;
            assert_eq!(now, first.body["incident"]);
        }
    }
}

#[tokio::test]
async fn all_fields_that_differ_are_named() {
    let other = payload::with(payload::anonymous(payload::report()), "locationId", "ward-8");

    let server = Server::start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::report()).await.status, 201);
    let answer = alice.sync(&other).await;

    assert_eq!(answer.body["fields"], json!(["locationId", "isAnonymous"]));
    assert!(!answer.text.contains("ward"), "no value is quoted: {}", answer.text);
}

#[tokio::test]
async fn facts_are_compared_in_canonical_form() {
    let spelled = r#"{"createdAt":"2026-11-22t12:15:30.1209+02","isAnonymous":false,"locationId":" ward\u002d7 ",
        "gpsCoordinates":{"coordinates":[124924e-4,41.89020000000001],"type":"Point"},"roomNumber":"12B\n"}"#;
    let server = Server::start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::report()).await.status, 201);

    let answer = alice.sync_text(spelled).await;

    assert_eq!(answer.said(), (200, "unchanged".into()));
}

#[tokio::test]
async fn sixteen_further_reasons_are_kept_and_no_more() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let id = alice.sync(&payload::cancelled(payload::report(), "first")).await.id();

    for number in 0..20 {
        let answer = alice.sync(&payload::cancelled(payload::report(), &format!("reason {number}"))).await;
        assert_eq!(answer.said(), (200, "alreadyCancelled".into()));
        assert_eq!(answer.body["incident"]["cancellationReason"], "first");
    }

    let history = alice.history(&id).await;
    assert_eq!(history.len(), 2 + 16);
    assert_eq!(history[17], ("cancellationRestated".into(), Some("reason 15".into())));
}
