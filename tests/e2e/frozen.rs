//! Answers, problems and events are what the files in `tests/frozen` hold; the API document is `docs/openapi.json`.
//!
//! What differs from run to run, moments of the server's clock, cursors and names of requests, is written as
//! `<its field>`.

use incident_core::Problem;
use incident_tests::{Client, Events, Program, Server, Setup, assert_frozen, payload};
use serde_json::{Value, json};

use crate::problems::provoke;

const OF_THE_RUN: [&str; 6] = ["receivedAt", "cancelledAt", "erasedAt", "at", "cursor", "nextCursor"];

/// Hides what is of this run only.
fn masked(mut value: Value) -> Value {
    match &mut value {
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let of_the_run = OF_THE_RUN.contains(&name.as_str()) && field.is_string();
                *field = if of_the_run { json!(format!("<{name}>")) } else { masked(field.take()) };
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = masked(item.take())),
        _ => {}
    }
    value
}

#[track_caller]
fn assert_answer(name: &str, body: Value) {
    let text = serde_json::to_string_pretty(&masked(body)).unwrap() + "\n";
    assert_frozen(&format!("tests/frozen/{name}.json"), &text);
}

/// With a secret of this test, so that ids are the same in every run.
async fn server() -> Server {
    let setup = Setup::new();
    let secret = setup.data_dir().join("frozen.secret");
    std::fs::write(&secret, "a secret that stays as it is, for the ids of frozen answers").unwrap();
    setup.flag("--id-secret-file", secret.to_str().unwrap()).start().await
}

fn report() -> Value {
    payload::at("2024-05-06T09:08:09.0102+02:00")
}

async fn said(client: &Client, name: &str, payload: &Value) {
    assert_answer(name, client.sync(payload).await.body);
}

#[tokio::test]
async fn answers_to_a_sync() {
    let server = server().await;
    let alice = server.client("alice");
    let warned = payload::with(report(), "cancelationReason", "x");
    let anonymous = payload::with(payload::anonymous(report()), "createdAt", "2024-05-06T07:08:09.011Z");
    let suspect = payload::with(report(), "createdAt", "2019-05-06T07:08:09.010Z");

    said(&alice, "answers/created", &warned).await;
    said(&alice, "answers/unchanged", &report()).await;
    said(&alice, "answers/cancelled", &payload::cancelled(report(), "false alarm")).await;
    said(&alice, "answers/already-cancelled", &payload::cancelled(report(), "another reason")).await;
    said(&alice, "answers/created-and-cancelled", &payload::cancelled(anonymous, "false alarm")).await;
    said(&alice, "answers/clock-suspect", &suspect).await;
}

#[tokio::test]
async fn answers_to_a_batch_and_to_readers() {
    let server = server().await;
    let (alice, responder) = (server.client("alice"), server.responder());
    let items = [payload::cancelled(report(), "false alarm"), json!({}), payload::anonymous(report())];

    let batch = alice.batch(&items).await;
    let incident = format!("/api/incidents/{}", batch.body["results"][0]["incident"]["id"].as_str().unwrap());

    assert_answer("answers/batch", batch.body);
    assert_answer("answers/incident-to-its-reporter", alice.get(&incident).await.body);
    assert_answer("answers/incident-to-a-responder", responder.get(&incident).await.body);
    assert_answer("answers/history", alice.get(&format!("{incident}/history")).await.body);
    assert_answer("answers/list", responder.get("/api/incidents?limit=1").await.body);
    assert_answer("answers/changes", responder.get("/api/incidents/changes").await.body);
}

#[tokio::test]
async fn answers_to_an_erasure() {
    let server = server().await;
    let (alice, eraser) = (server.client("alice"), server.eraser());
    let path = alice.sync(&report()).await.header("location");

    assert_answer("answers/erasure", eraser.delete(&path).await.body);
    assert_answer("answers/erasure-again", eraser.delete(&path).await.body);
    assert_answer("answers/erasure-of-a-reporter", eraser.delete("/api/incidents?reporter=alice").await.body);
    said(&alice, "answers/erased", &payload::cancelled(report(), "too late")).await;
    assert_answer("answers/erased-change", server.responder().get("/api/incidents/changes").await.body);
}

#[tokio::test]
async fn events_of_a_stream() {
    let server = server().await;
    let mut events = Events::open(&server.responder(), "", None).await.ok().unwrap();

    server.client("alice").sync(&report()).await;
    server.client("alice").sync(&payload::cancelled(report(), "false alarm")).await;
    server.client("alice").sync(&payload::cancelled(report(), "another reason")).await;

    let id = server.client("alice").sync(&report()).await.id();
    for kind in ["created", "cancelled", "cancellationRestated", "erased"] {
        if kind == "erased" {
            server.eraser().delete(&format!("/api/incidents/{id}")).await;
        }
        let event = events.next().await;
        // `data` shows the incident as it is when it is read, which depends on who was faster.
        let mut change = event.change;
        change["incident"] = json!("<incident>");
        let event = json!({ "id": "<cursor>", "event": event.kind, "data": change });
        assert_answer(&format!("events/{kind}"), event);
    }
}

#[tokio::test]
async fn problems() {
    for problem in Problem::ALL.iter().copied() {
        let mut answer = provoke(problem).await;
        let request = answer.header("x-request-id");
        let detail = answer.body["detail"].as_str().unwrap().replace(&request, "<request>");
        let seconds = format!(" {} s", answer.header("retry-after"));
        answer.body["detail"] = detail.replace(&seconds, " <retryAfter> s").into();
        assert_answer(&format!("problems/{problem}"), answer.body);
    }
}

#[tokio::test]
async fn the_api_document() {
    let printed = Program::new().args(["openapi"]).output().await.stdout;

    assert_frozen("docs/openapi.json", &String::from_utf8(printed).unwrap());
}
