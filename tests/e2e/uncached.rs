//! No answer below `/api` is kept by a cache or taken by a browser for anything but what it is.

use incident_tests::{Answer, Server, payload, raw};
use reqwest::Method;
use tokio::io::AsyncReadExt;

#[track_caller]
fn assert_uncached(what: &str, answer: &Answer) {
    let said = (answer.header("cache-control"), answer.header("x-content-type-options"));
    assert_eq!(said, ("no-store".to_owned(), "nosniff".to_owned()), "{what}: {answer:?}");
}

#[tokio::test]
async fn every_success_below_api_is_stored_nowhere() {
    let server = Server::start().await;
    let (alice, responder) = (server.client("alice"), server.responder());
    let created = alice.sync(&payload::report()).await;
    let incident = created.header("location");

    for (what, answer) in [
        ("created", created),
        ("repeated", alice.sync(&payload::report()).await),
        ("batch", alice.batch(&[payload::report()]).await),
        ("incident", alice.get(&incident).await),
        ("history", alice.get(&format!("{incident}/history")).await),
        ("list", alice.get("/api/incidents").await),
        ("changes", responder.get("/api/incidents/changes").await),
    ] {
        assert!(answer.status < 300, "{what}: {answer:?}");
        assert_uncached(what, &answer);
    }
}

#[tokio::test]
async fn every_problem_below_api_is_stored_nowhere() {
    let server = Server::start().await;
    let alice = server.client("alice");

    for (status, answer) in [
        (400, alice.sync_text("{").await),
        (401, server.stranger().sync(&payload::report()).await),
        (403, alice.get("/api/incidents/changes").await),
        (404, server.get("/api").await),
        (404, server.get("/api/incidents/sync/bach").await),
        (404, alice.get("/api/incidents/01a202c0-f648-8114-8d97-64d571c679d1").await),
        (405, Answer::to(server.stranger().request(Method::DELETE, "/api/incidents/sync")).await),
        (422, alice.get("/api/incidents?limit=0").await),
    ] {
        assert_eq!(answer.status, status, "{answer:?}");
        assert_uncached("problem", &answer);
    }
}

#[tokio::test]
async fn a_stream_is_stored_nowhere() {
    let server = Server::start().await;
    let head = format!(
        "GET /api/incidents/changes HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
        server.token("responder", Some("incidents:read"))
    );
    let mut stream = raw::send(&server, head).await;
    let mut read = String::new();
    while !read.contains("\r\n\r\n") {
        let mut piece = [0; 1024];
        let length = stream.read(&mut piece).await.unwrap();
        assert_ne!(length, 0, "{read}");
        read.push_str(str::from_utf8(&piece[..length]).unwrap());
    }

    let answer = raw::answer(&read);

    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_uncached("stream", &answer);
}
