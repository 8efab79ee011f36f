//! Many payloads in one request: each stands alone, in order.

use incident_tests::{Answer, Server, payload};
use serde_json::{Value, json};

fn statuses(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.body["results"].as_array().unwrap();
    results.iter().map(|result| result["httpStatus"].as_u64().unwrap()).collect()
}

fn outcomes(answer: &Answer) -> Vec<&str> {
    let results = answer.body["results"].as_array().unwrap();
    results.iter().map(|result| result["outcome"].as_str().unwrap_or_default()).collect()
}

#[tokio::test]
async fn one_result_a_payload_in_order() {
    let server = Server::start().await;
    let sent: Vec<_> = (0..50).map(payload::numbered).collect();

    let answer = server.client("alice").batch(&sent).await;

    assert_eq!(statuses(&answer), vec![201; 50]);
    for (result, sent) in answer.body["results"].as_array().unwrap().iter().zip(&sent) {
        assert_eq!(result["incident"]["createdAt"], sent["createdAt"]);
        assert_eq!(result["disposition"], "settled");
    }
}

#[tokio::test]
async fn a_result_is_what_the_payload_would_have_been_answered_alone() {
    let server = Server::start().await;
    let sent = payload::with(payload::report(), "extra", 1);
    let alone = server.client("alice").sync(&sent).await;

    let again = server.client("alice").batch(std::slice::from_ref(&sent)).await;

    let mut result = again.body["results"][0].clone();
    assert_eq!(result.as_object_mut().unwrap().remove("httpStatus"), Some(json!(200)));
    assert_eq!(result["outcome"], "unchanged");
    result["outcome"] = "created".into();
    assert_eq!(result, alone.body);
}

#[tokio::test]
async fn a_bad_one_stops_none() {
    let server = Server::start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(3)).await.status, 201);
    let sent = [
        payload::numbered(1),
        payload::with(payload::numbered(2), "locationId", Value::Null),
        payload::with(payload::numbered(3), "locationId", "elsewhere"),
        json!("no object"),
        payload::numbered(4),
    ];

    let answer = alice.batch(&sent).await;

    assert_eq!(statuses(&answer), [201, 422, 409, 422, 201]);
    let results = answer.body["results"].as_array().unwrap();
    assert_eq!(results[1]["errors"][0]["pointer"], "/locationId", "pointers start at the payload");
    assert_eq!(results[1]["status"], 422);
    assert_eq!(results[2]["fields"], json!(["locationId"]));
    assert_eq!(results[3]["errors"][0]["pointer"], "");
    assert_eq!(results[3]["disposition"], "quarantine");
}

#[tokio::test]
async fn one_incident_many_times_takes_effect_in_order() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let cancelled = |reason| payload::cancelled(payload::report(), reason);
    let sent = [payload::report(), payload::report(), cancelled("a"), cancelled("b"), payload::report()];

    let answer = alice.batch(&sent).await;

    assert_eq!(outcomes(&answer), ["created", "unchanged", "cancelled", "alreadyCancelled", "unchanged"]);
    let seen: Vec<_> = (0..5).map(|n| answer.body["results"][n]["incident"]["status"].clone()).collect();
    assert_eq!(seen, ["Open", "Open", "Cancelled", "Cancelled", "Cancelled"]);
    let id = answer.body["results"][0]["incident"]["id"].as_str().unwrap();
    assert_eq!(alice.kinds(id).await, ["created", "cancelled", "cancellationRestated"]);
}

#[tokio::test]
async fn a_lone_surrogate_or_a_huge_number_spoils_its_own_payload_only() {
    let server = Server::start().await;
    let good = payload::report().to_string();
    let surrogate = good.replace("ward-7", "\\ud800");
    let huge = good.replace("12.4924", "1e999");

    let body = format!(r#"{{"incidents":[{surrogate},{huge},{good}]}}"#);
    let answer = server.client("alice").batch_text(body).await;

    assert_eq!(statuses(&answer), [400, 400, 201]);
    assert_eq!(answer.body["results"][0]["type"], "/problems/malformed-json");
}

#[tokio::test]
async fn the_key_header_is_not_looked_at() {
    let server = Server::start().await;
    let request = server.client("alice").request(reqwest::Method::POST, "/api/incidents/sync/batch");

    let request = request.header("idempotency-key", "nonsense");
    let answer = Answer::to(request.json(&json!({ "incidents": [payload::report()] }))).await;

    assert_eq!(statuses(&answer), [201]);
}

#[tokio::test]
async fn the_place_in_a_payload_that_cannot_be_read_is_said_to_be_counted_there() {
    let server = Server::start().await;
    let alice = server.client("alice");

    let item = alice.batch_text(r#"{"incidents":[{"locationId":"a\ud800b"}]}"#).await;
    let envelope = alice.batch_text(r#"{"incidents":[}"#).await;

    let half = "a string holds half of a surrogate pair at line 1, column 23, counted within the payload";
    assert_eq!(item.body["results"][0]["detail"], half, "{item:?}");
    assert_eq!(envelope.body["detail"], "the syntax breaks at line 1, column 15");
}
