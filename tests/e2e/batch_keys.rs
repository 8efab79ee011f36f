//! The keys of a batch: `idempotencyKeys`, one a payload, each checked by itself.

use incident_tests::{
    Answer, Server,
    incident_keys::{derived, sealed},
    payload,
};
use reqwest::Method;
use serde_json::{Value, json};

/// Status and word of each result.
fn said(answer: &Answer) -> Vec<(u64, &str)> {
    let results = answer.body["results"].as_array().unwrap_or_else(|| panic!("no results: {answer:?}"));
    let word = |result: &'_ Value| match result["outcome"].as_str() {
        Some(_) => "settled",
        None => "refused",
    };
    results.iter().map(|result| (result["httpStatus"].as_u64().unwrap(), word(result))).collect()
}

#[tokio::test]
async fn a_queue_that_is_sent_under_another_persons_token_is_refused_and_not_stored_as_theirs() {
    let server = Server::start().await;
    let queue: Vec<_> = (0..3).map(payload::numbered).collect();
    let keys = queue.iter().map(|report| json!(derived("alice", report))).collect();

    let under_bobs = server.client("bob").batch_with_keys(&queue, &keys).await;
    let under_hers = server.client("alice").batch_with_keys(&queue, &keys).await;

    assert_eq!(said(&under_bobs), [(422, "refused"); 3]);
    for result in under_bobs.body["results"].as_array().unwrap() {
        assert_eq!(result["type"], "/problems/idempotency-key-mismatch");
    }
    assert_eq!(server.client("bob").get("/api/incidents").await.body["incidents"], json!([]));
    assert_eq!(said(&under_hers), [(201, "settled"); 3]);
}

#[tokio::test]
async fn a_wrong_key_is_a_fault_of_its_own_payload() {
    let server = Server::start().await;
    let anonymous = payload::anonymous(payload::numbered(3));
    let sent = [payload::numbered(1), payload::numbered(2), anonymous.clone(), payload::numbered(4)];
    let keys =
        json!([derived("alice", &sent[0]), derived("bob", &sent[1]), sealed(7, "alice", &anonymous), null]);

    let answer = server.client("alice").batch_with_keys(&sent, &keys).await;

    assert_eq!(said(&answer), [(201, "settled"), (422, "refused"), (201, "settled"), (201, "settled")]);
    assert_eq!(answer.body["results"][2]["idempotencyKey"], keys[2]);
    assert_eq!(answer.body["results"][3]["idempotencyKey"], derived("alice", &sent[3]));
}

#[tokio::test]
async fn an_element_that_is_no_key_is_a_mismatch_of_its_own_payload() {
    let server = Server::start().await;
    let elements = [json!(""), json!("x"), json!(1), json!(true), json!([]), json!({}), json!("\u{0}")];
    let sent: Vec<_> = (0..elements.len()).map(payload::numbered).collect();

    let answer = server.client("alice").batch_with_keys(&sent, &json!(elements)).await;

    for (result, element) in answer.body["results"].as_array().unwrap().iter().zip(elements) {
        assert_eq!(result["type"], "/problems/idempotency-key-mismatch", "{element}");
    }
}

#[tokio::test]
async fn a_payload_that_breaks_a_rule_is_told_so_before_its_key_is_looked_at() {
    let server = Server::start().await;
    let bad = payload::with(payload::report(), "locationId", "");

    let answer = server.client("alice").batch_with_keys(&[bad], &json!(["x"])).await;

    assert_eq!(answer.body["results"][0]["type"], "/problems/validation-failed");
}

#[tokio::test]
async fn keys_that_are_not_as_many_or_no_array_are_a_fault_of_the_envelope() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let report = payload::report();
    let key = derived("alice", &report);

    for (keys, code) in [
        (json!([]), "type"),
        (json!([key, null]), "type"),
        (json!({}), "type"),
        (json!(key), "type"),
        (json!(1), "type"),
        (json!(false), "type"),
    ] {
        let answer = alice.batch_with_keys(std::slice::from_ref(&report), &keys).await;
        assert_eq!(answer.said(), (422, "validation-failed".into()), "{keys}");
        assert_eq!(answer.errors(), [("/idempotencyKeys".to_owned(), code.to_owned())], "{keys}");
    }
    let twice =
        format!(r#"{{"incidents":[{report}],"idempotencyKeys":["{key}"],"idempotencyKeys":["{key}"]}}"#);
    let answer = alice.batch_text(twice).await;
    assert_eq!(answer.errors(), [("/idempotencyKeys".to_owned(), "duplicate-field".to_owned())]);

    assert_eq!(alice.sync(&report).await.status, 201, "nothing was stored");
}

#[tokio::test]
async fn null_keys_are_no_keys() {
    let server = Server::start().await;

    let answer = server.client("alice").batch_with_keys(&[payload::report()], &Value::Null).await;

    assert_eq!(said(&answer), [(201, "settled")]);
}

#[tokio::test]
async fn the_header_says_nothing_of_a_batch() {
    let server = Server::start().await;
    let anonymous = payload::anonymous(payload::report());
    let request = server.client("alice").request(Method::POST, "/api/incidents/sync/batch");

    let request = request.header("idempotency-key", sealed(7, "alice", &anonymous));
    let answer = Answer::to(request.json(&json!({ "incidents": [anonymous] }))).await;

    assert_eq!(answer.body["results"][0]["idempotencyKey"], derived("alice", &anonymous));
}
