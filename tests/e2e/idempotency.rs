//! A repeat changes nothing, however many there are and whenever they come.

use std::collections::BTreeMap;

use incident_tests::{Server, Setup, payload};
use serde_json::Value;
use tokio::task::JoinSet;

/// Sends one payload so many times at once; counts what was said.
async fn at_once(server: &Server, payload: &Value, copies: usize) -> BTreeMap<(u16, String), usize> {
    let mut sending = JoinSet::new();
    for _ in 0..copies {
        let (client, payload) = (server.client("alice"), payload.clone());
        sending.spawn(async move { client.sync(&payload).await.said() });
    }
    let mut said = BTreeMap::new();
    for answer in sending.join_all().await {
        *said.entry(answer).or_default() += 1;
    }
    said
}

#[tokio::test]
async fn fifty_identical_reports_at_once_are_one_incident() {
    let server = Server::start().await;

    let said = at_once(&server, &payload::report(), 50).await;

    assert_eq!(said, [((200, "unchanged".into()), 49), ((201, "created".into()), 1)].into());
    let listed = server.client("alice").get("/api/incidents").await;
    assert_eq!(listed.body["incidents"].as_array().map(Vec::len), Some(1));
    let id = listed.body["incidents"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(server.client("alice").kinds(&id).await, ["created"]);
}

#[tokio::test]
async fn fifty_identical_cancellations_at_once_are_one_cancelled_incident() {
    let server = Server::start().await;
    let cancellation = payload::cancelled(payload::report(), "false alarm");

    let said = at_once(&server, &cancellation, 50).await;

    assert_eq!(said, [((200, "unchanged".into()), 49), ((201, "createdAndCancelled".into()), 1)].into());
}

#[tokio::test]
async fn fifty_at_once_are_one_without_group_commit_too() {
    let server = Setup::new().flag("--max-commit-batch", "1").start().await;

    let said = at_once(&server, &payload::anonymous(payload::report()), 50).await;

    assert_eq!(said, [((200, "unchanged".into()), 49), ((201, "created".into()), 1)].into());
}

#[tokio::test]
async fn a_replay_after_a_restart_changes_nothing() {
    let server = Server::start().await;
    let first = server.client("alice").sync(&payload::report()).await;

    let server = server.kill_and_restart().await;
    let replay = server.client("alice").sync(&payload::report()).await;

    assert_eq!(replay.said(), (200, "unchanged".into()));
    assert_eq!(replay.body["incident"], first.body["incident"]);
}

#[tokio::test]
async fn the_derived_key_may_be_sent_in_any_spelling() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let answer = alice.sync(&payload::report()).await;
    let key = answer.body["idempotencyKey"].as_str().unwrap();

    for spelled in [key.to_owned(), format!("\"{key}\""), key.to_uppercase()] {
        let replay = alice.sync_with_key(&payload::report(), &spelled).await;
        assert_eq!(replay.said(), (200, "unchanged".into()), "{spelled}");
    }
}

#[tokio::test]
async fn another_key_is_refused_and_nothing_is_stored() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let bobs = "01a202c0-f648-81b8-95f2-469ecf9e3f4f";

    for wrong in [bobs, "", "\"\"", "x", "\"01a202c0"] {
        let answer = alice.sync_with_key(&payload::report(), wrong).await;
        assert_eq!(answer.said(), (422, "idempotency-key-mismatch".into()), "{wrong}");
    }

    assert_eq!(alice.sync(&payload::report()).await.status, 201);
}
