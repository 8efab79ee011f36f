//! The envelope of a batch: its faults and its limits.

use incident_tests::{Server, payload};
use serde_json::json;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn an_empty_batch_is_answered_with_an_empty_one() {
    let server = Server::start().await;

    let answer = server.client("alice").batch(&[]).await;

    assert_eq!((answer.status, answer.body), (200, json!({ "results": [] })));
}

#[tokio::test]
async fn faults_of_the_envelope_are_answered_as_problems() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let faults = [
        ("{", 400, "malformed-json", None),
        (r#"{"incidents":[]} x"#, 400, "malformed-json", None),
        ("[]", 422, "validation-failed", Some(("", "type"))),
        ("{}", 422, "validation-failed", Some(("/incidents", "required"))),
        (r#"{"incidents":{}}"#, 422, "validation-failed", Some(("/incidents", "type"))),
        (r#"{"incidents":null}"#, 422, "validation-failed", Some(("/incidents", "type"))),
        (
            r#"{"incidents":[],"incidents":[]}"#,
            422,
            "validation-failed",
            Some(("/incidents", "duplicate-field")),
        ),
    ];

    for (body, status, slug, error) in faults {
        let answer = alice.batch_text(body).await;
        assert_eq!(answer.said(), (status, slug.to_owned()), "{body}");
        let expected: Vec<_> =
            error.into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
        assert_eq!(answer.errors(), expected, "{body}");
    }
}

#[tokio::test]
async fn unknown_fields_beside_incidents_are_ignored() {
    let server = Server::start().await;

    let answer = server.client("alice").batch_text(r#"{"v":{"a":[1]},"incidents":[],"w":1}"#).await;

    assert_eq!((answer.status, answer.body), (200, json!({ "results": [] })));
}

#[tokio::test]
async fn five_hundred_payloads_are_taken_and_one_more_is_not() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let mut sent: Vec<_> = (0..500).map(payload::numbered).collect();

    let full = alice.batch(&sent).await;
    sent.push(payload::numbered(500));
    let over = alice.batch(&sent).await;

    assert_eq!((full.status, full.body["results"].as_array().map(Vec::len)), (200, Some(500)));
    assert_eq!(over.said(), (413, "payload-too-large".into()));
    assert_eq!((&over.body["maxItems"], over.body.get("maxBytes")), (&json!(500), None));
}

#[tokio::test]
async fn a_mebibyte_is_taken_and_one_byte_more_is_not() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let body = |bytes: usize| {
        let start = format!(r#"{{"incidents":[{}"#, payload::report());
        format!("{start}{}]}}", " ".repeat(bytes - start.len() - 2))
    };

    let full = alice.batch_text(body(MIB)).await;
    let over = alice.batch_text(body(MIB + 1)).await;

    assert_eq!((full.status, &full.body["results"][0]["httpStatus"]), (200, &json!(201)));
    assert_eq!(over.said(), (413, "payload-too-large".into()));
    assert_eq!(over.body["maxBytes"], MIB);
}

#[tokio::test]
async fn a_payload_in_a_batch_may_be_longer_than_one_alone() {
    let server = Server::start().await;
    let long = payload::with(payload::report(), "extra", "x".repeat(100_000));

    let alone = server.client("alice").sync(&long).await;
    let batched = server.client("alice").batch(&[long]).await;

    assert_eq!(alone.said(), (413, "payload-too-large".into()));
    assert_eq!(batched.body["results"][0]["httpStatus"], 201);
}
