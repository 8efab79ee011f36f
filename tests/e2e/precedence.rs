//! Where several problems apply, the first of the contract's order is answered.

use incident_tests::{Answer, Client, Server, Setup, payload, raw, until};
use reqwest::Method;

const SYNC: &str = "/api/incidents/sync";

/// A request in which everything from `first` on is wrong.
async fn wrong_from(server: &Server, tired: &Client, first: usize) -> Answer {
    let wrong = |step: usize| first <= step;
    let (stranger, fresh) = (server.stranger(), server.client("fresh"));
    let client = match () {
        () if wrong(2) => &stranger,
        () if wrong(3) => tired,
        () => &fresh,
    };
    let path = if wrong(0) { "/api/incidents/sync/bach" } else { SYNC };
    let method = if wrong(1) { Method::PUT } else { Method::POST };
    let media_type = if wrong(4) { "text/plain" } else { "application/json" };
    let body = match () {
        () if wrong(5) => "{".repeat(40_000),
        () if wrong(6) => "{".to_owned(),
        () if wrong(7) => payload::with(payload::report(), "locationId", "").to_string(),
        () => payload::anonymous(payload::report()).to_string(),
    };
    let request = client.request(method, path).header("content-type", media_type);
    let request = if wrong(8) { request.header("idempotency-key", "x") } else { request };
    Answer::to(request.body(body)).await
}

#[tokio::test]
async fn the_first_problem_in_the_order_is_answered() {
    let order = [
        (404, "not-found"),
        (405, "method-not-allowed"),
        (401, "unauthorized"),
        (429, "rate-limited"),
        (415, "unsupported-media-type"),
        (413, "payload-too-large"),
        (400, "malformed-json"),
        (422, "validation-failed"),
        (422, "idempotency-key-mismatch"),
        (409, "idempotency-conflict"),
    ];
    let server = Setup::new().flag("--rate-limit", "1/m,20").start().await;
    assert_eq!(server.client("fresh").sync(&payload::report()).await.status, 201);
    let tired = server.client("tired");
    while tired.get("/api/incidents").await.status != 429 {}

    for (step, (status, slug)) in order.into_iter().enumerate() {
        let answer = wrong_from(&server, &tired, step).await;
        assert_eq!(answer.said(), (status, slug.to_owned()), "everything from step {step} on is wrong");
    }
}

#[tokio::test]
async fn a_missing_scope_comes_after_the_token_and_before_the_rate() {
    let server = Setup::new().flag("--rate-limit", "1/m,1").start().await;
    let (alice, changes) = (server.client("alice"), "/api/incidents/changes?limit=0");
    while alice.get("/api/incidents").await.status != 429 {}

    assert_eq!(server.get(changes).await.said(), (401, "unauthorized".into()));
    assert_eq!(alice.get(changes).await.said(), (403, "forbidden".into()));
    assert_eq!(server.responder().get(changes).await.said(), (422, "validation-failed".into()));
    assert_eq!(server.responder().get(changes).await.said(), (429, "rate-limited".into()));
}

#[tokio::test]
async fn a_wrong_address_needs_no_token() {
    let server = Server::start().await;

    for path in [
        "/api",
        "/board/nothing-here",
        "/api/incidents/sync/",
        "/api/incidents/a/b",
        "/docs/nothing-here",
        "/%ff",
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.said(), (404, "not-found".into()), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_answered_everywhere_with_what_is_allowed() {
    let server = Server::start().await;
    let routes = [
        (Method::DELETE, "/api/incidents/sync", "POST"),
        (Method::GET, "/api/incidents/sync/batch", "POST"),
        (Method::POST, "/api/incidents", "GET,HEAD,DELETE"),
        (Method::PUT, "/api/incidents/x", "GET,HEAD,DELETE"),
        (Method::PATCH, "/api/incidents/x/history", "GET,HEAD"),
        (Method::PUT, "/api/incidents/changes", "GET,HEAD"),
        (Method::POST, "/", "GET,HEAD"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::POST, "/metrics", "GET,HEAD"),
        (Method::POST, "/openapi.json", "GET,HEAD"),
        (Method::POST, "/docs/", "GET,HEAD"),
    ];

    for (method, path, allow) in routes {
        let answer = Answer::to(server.stranger().request(method, path)).await;
        assert_eq!(answer.said(), (405, "method-not-allowed".into()), "{path}: {answer:?}");
        assert_eq!(answer.header("allow").replace(' ', ""), allow, "{path}");
    }
}

#[tokio::test]
async fn that_there_is_no_connection_left_comes_after_the_token() {
    let server = Setup::new().files(256).start().await;
    let (alice, stranger) = (server.client("alice"), server.stranger());
    // One that waits for a head is closed after 10 s, which a busy machine may need for all of them; for a body, after 30 s.
    let mut idle = Vec::new();
    for _ in 0..server.metric("incident_connections_limit").await {
        idle.push(raw::send(&server, raw::sync_head(&server, "bob", 100)).await);
    }

    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(stranger.get("/api/incidents/a/b").await.said(), (404, "not-found".into()));
    assert_eq!(stranger.get("/api/incidents/sync").await.said(), (405, "method-not-allowed".into()));
    assert_eq!(stranger.sync(&payload::report()).await.said(), (401, "unauthorized".into()));
    let refused = alice.sync(&payload::report()).await;
    assert_eq!(
        (refused.said(), refused.header("connection").as_str()),
        ((503, "overloaded".into()), "close")
    );
    assert_eq!(stranger.get("/docs/").await.said(), (503, "overloaded".into()));
    drop(idle);
    until("there is a place again", async || {
        (alice.sync(&payload::report()).await.said() == (201, "created".into())).then_some(())
    })
    .await;
}
