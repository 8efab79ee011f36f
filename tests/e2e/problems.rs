//! Every problem has its status, its disposition and its headers, in exactly the shape of RFC 9457.

use incident_core::Problem;
use incident_tests::{Answer, Client, Server, Setup, payload, raw};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// Status and disposition as the contract's table has them.
fn promised(problem: Problem) -> (u16, &'static str) {
    match problem {
        Problem::MalformedJson => (400, "quarantine"),
        Problem::Unauthorized => (401, "reauth"),
        Problem::Forbidden => (403, "reauth"),
        Problem::NotFound => (404, "retry"),
        Problem::Gone => (410, "settled"),
        Problem::CursorGone => (410, "retry"),
        Problem::MethodNotAllowed => (405, "retry"),
        Problem::RequestTimeout => (408, "retry"),
        Problem::IdempotencyConflict => (409, "quarantine"),
        Problem::PayloadTooLarge => (413, "quarantine"),
        Problem::UnsupportedMediaType => (415, "quarantine"),
        Problem::ValidationFailed | Problem::IdempotencyKeyMismatch => (422, "quarantine"),
        Problem::RateLimited => (429, "retry"),
        Problem::Internal => (500, "retry"),
        Problem::Overloaded => (503, "retry"),
    }
}

/// Makes the server answer with a problem.
pub(crate) async fn provoke(problem: Problem) -> Answer {
    let server = Server::start().await;
    let alice = server.client("alice");
    let sync = |client: &Client| client.request(Method::POST, "/api/incidents/sync").json(&payload::report());
    match problem {
        Problem::MalformedJson => alice.sync_text("{").await,
        Problem::Unauthorized => server.stranger().sync(&payload::report()).await,
        Problem::Forbidden => alice.get("/api/incidents/changes").await,
        Problem::NotFound => alice.get("/api/incident").await,
        Problem::MethodNotAllowed => alice.get("/api/incidents/sync/batch").await,
        Problem::RequestTimeout => half_a_body(&server).await,
        Problem::IdempotencyConflict => {
            alice.sync(&payload::report()).await;
            alice.sync(&payload::anonymous(payload::report())).await
        }
        Problem::PayloadTooLarge => alice.sync_text(" ".repeat(32 * 1024 + 1)).await,
        Problem::UnsupportedMediaType => Answer::to(sync(&alice).header("content-encoding", "gzip")).await,
        Problem::ValidationFailed => alice.sync(&json!({})).await,
        Problem::IdempotencyKeyMismatch => alice.sync_with_key(&payload::report(), "x").await,
        Problem::RateLimited => rate_limited().await,
        Problem::Internal => bug(&server).await,
        Problem::Overloaded => overloaded().await,
        Problem::CursorGone => cursor_gone(&server).await,
        Problem::Gone => gone(&server).await,
    }
}

/// A body that ends too early is answered at once as one that came too late.
async fn half_a_body(server: &Server) -> Answer {
    use tokio::io::AsyncWriteExt;
    let mut stream = raw::send(server, raw::sync_head(server, "alice", 100) + "{").await;
    stream.shutdown().await.unwrap();
    raw::answer(&raw::rest(&mut stream).await)
}

async fn gone(server: &Server) -> Answer {
    let path = server.client("alice").sync(&payload::report()).await.header("location");
    server.eraser().delete(&path).await;
    server.responder().get(&path).await
}

async fn rate_limited() -> Answer {
    let server = Setup::new().flag("--rate-limit", "1/m,1").start().await;
    server.client("alice").get("/api/incidents").await;
    server.client("alice").get("/api/incidents").await
}

/// A row that cannot be read stands for any bug.
async fn bug(server: &Server) -> Answer {
    let id = server.client("alice").sync(&payload::report()).await.id();
    let edit = "UPDATE incidents SET received_at_ms = 9223372036854775807";
    server.database().session().await.run_past_checks(edit).await;
    server.client("alice").get(&format!("/api/incidents/{id}")).await
}

/// Of another database, or of this one before it was restored.
async fn cursor_gone(server: &Server) -> Answer {
    server.responder().get("/api/incidents/changes?after=1-1").await
}

async fn overloaded() -> Answer {
    let server = Setup::new().flag("--max-in-flight", "1").start().await;
    incident_tests::until("somebody is sent away", async || {
        let mut sending = JoinSet::new();
        for _ in 0..50 {
            let client = server.client("alice");
            sending.spawn(async move { client.sync(&payload::report()).await });
        }
        sending.join_all().await.into_iter().find(|answer| answer.status == 503)
    })
    .await
}

fn check(problem: Problem, answer: &Answer) {
    let (status, disposition) = promised(problem);
    let body = &answer.body;
    assert_eq!(answer.said(), (status, problem.to_string()), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        (&body["status"], &body["disposition"], &body["title"]),
        (&json!(status), &json!(disposition), &json!(problem.title()))
    );
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{body}");
    assert_eq!(body.get("errors").is_some(), problem == Problem::ValidationFailed);
    assert_eq!(body.get("fields").is_some(), problem == Problem::IdempotencyConflict);
    assert_eq!(body.get("maxBytes").is_some(), problem == Problem::PayloadTooLarge);
    let retry_after = answer.header("retry-after");
    assert_eq!(
        retry_after.parse::<u32>().is_ok_and(|seconds| seconds > 0),
        matches!(problem, Problem::RateLimited | Problem::Overloaded),
        "{retry_after:?}"
    );
    let challenge = if problem == Problem::Unauthorized { "Bearer realm=\"incident-sync\"" } else { "" };
    assert_eq!(answer.header("www-authenticate"), challenge);
    let allow = if problem == Problem::MethodNotAllowed { "POST" } else { "" };
    assert_eq!(answer.header("allow"), allow);
    if problem == Problem::Internal {
        let id = answer.header("x-request-id");
        assert!(body["detail"].as_str().unwrap().contains(&id), "{body}");
    }
    assert!(body.as_object().is_some_and(|fields| fields.values().all(|value| !Value::is_null(value))));
}

#[tokio::test]
async fn every_problem_is_answered_as_the_contract_says() {
    for problem in Problem::ALL.iter().copied().filter(|problem| *problem != Problem::Gone) {
        check(problem, &provoke(problem).await);
    }
}

#[tokio::test]
async fn a_bug_that_costs_one_payload_of_a_batch_names_the_request_too() {
    let server = Server::start().await;
    bug(&server).await;
    let alice = server.client("alice");

    let answer = alice.batch(&[payload::report()]).await;

    let result = &answer.body["results"][0];
    assert_eq!((answer.status, &result["httpStatus"]), (200, &json!(500)), "{answer:?}");
    let id = answer.header("x-request-id");
    assert!(result["detail"].as_str().unwrap().contains(&id), "{result}");
}
