//! What was answered is durable: a power cut under load loses nothing and doubles nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use incident_tests::{Answer, Client, PATIENCE, Server, payload};
use serde_json::json;
use tokio::task::JoinSet;

const SENDERS: usize = 16;
const ENOUGH: usize = 500;

/// Sends one report after another until the server is gone; every third comes cancelled. Returns the numbers and
/// ids that were acknowledged.
async fn send_until_cut(
    client: Client,
    next: Arc<AtomicUsize>,
    acknowledged: Arc<AtomicUsize>,
) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let request = client.request(reqwest::Method::POST, "/api/incidents/sync").json(&numbered(number));
        let Ok(answer) = Answer::try_to(request).await else { return kept };
        assert_eq!(answer.status, 201, "{answer:?}");
        kept.push((number, answer.id()));
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

fn numbered(number: usize) -> serde_json::Value {
    let report = payload::numbered(number);
    if number.is_multiple_of(3) { payload::cancelled(report, "false alarm") } else { report }
}

async fn load_and_cut(server: &mut Server) -> Vec<(usize, String)> {
    let (next, acknowledged) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(send_until_cut(server.client("alice"), Arc::clone(&next), Arc::clone(&acknowledged)));
    }
    let started = Instant::now();
    while acknowledged.load(Ordering::Relaxed) < ENOUGH {
        assert!(started.elapsed() < PATIENCE, "too slow to be cut under load");
        tokio::task::yield_now().await;
    }
    server.run().kill().await;
    senders.join_all().await.concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_incident_outlives_a_kill_exactly_once() {
    let mut server = Server::unlimited().await;

    let acknowledged = load_and_cut(&mut server).await;
    let server = server.kill_and_restart().await;

    assert!(acknowledged.len() >= ENOUGH);
    let alice = server.client("alice");
    for (number, id) in acknowledged {
        let expected: &[_] = if number % 3 == 0 { &["created", "cancelled"] } else { &["created"] };
        assert_eq!(alice.kinds(&id).await, expected);
        let replay = alice.sync(&numbered(number)).await;
        assert_eq!((replay.said(), replay.id()), ((200, "unchanged".into()), id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_acknowledged_is_whole_or_absent() {
    let mut server = Server::unlimited().await;

    let acknowledged = load_and_cut(&mut server).await.len();
    let server = server.kill_and_restart().await;

    let responder = server.responder();
    let (mut path, mut found) = ("/api/incidents?limit=200".to_owned(), 0);
    loop {
        let page = responder.get(&path).await.body;
        for incident in page["incidents"].as_array().unwrap() {
            let cancelled = incident["status"] == "Cancelled";
            let kinds = responder.kinds(incident["id"].as_str().unwrap()).await;
            assert_eq!(kinds, if cancelled { &["created", "cancelled"][..] } else { &["created"] });
            found += 1;
        }
        let Some(cursor) = page["nextCursor"].as_str() else { break };
        path = format!("/api/incidents?limit=200&cursor={cursor}");
    }
    assert!(
        (acknowledged..=acknowledged + SENDERS).contains(&found),
        "{acknowledged} acknowledged, {found} found"
    );
}

#[tokio::test]
async fn a_cancellation_outlives_a_kill() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let id = alice.sync(&payload::report()).await.id();
    assert_eq!(alice.sync(&payload::cancelled(payload::report(), "a")).await.status, 200);

    let server = server.kill_and_restart().await;

    let read = server.client("alice").get(&format!("/api/incidents/{id}")).await;
    assert_eq!((&read.body["status"], &read.body["cancellationReason"]), (&json!("Cancelled"), &json!("a")));
}
