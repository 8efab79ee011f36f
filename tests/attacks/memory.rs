//! Everything that fills memory, together: half-sent heads, stalled bodies, answers and streams that nobody reads,
//! and batches without end. The server stays below 256 MiB, and somebody else's reports are taken.

use std::time::{Duration, Instant};

use incident_tests::{Answer, PATIENCE, Server, payload, raw};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

const MOST_BYTES: u64 = 256 << 20;
const INNOCENT_REPORTS: usize = 200;

/// Connects and sends as much as the server takes of it; the connection stays.
async fn stalled(server: &Server, bytes: Vec<u8>) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server takes connections");
    let _ = tokio::time::timeout(Duration::from_millis(50), stream.write_all(&bytes)).await;
    stream
}

fn get(server: &Server, path: &str, more: &str) -> String {
    let (address, token) = (server.address(), server.token("responder", Some("incidents:read")));
    format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n{more}\r\n")
}

fn half_a_head() -> Vec<u8> {
    format!("POST /api/incidents/sync HTTP/1.1\r\nX: {}", "x".repeat(15_000)).into_bytes()
}

fn half_a_batch(server: &Server) -> Vec<u8> {
    let head = raw::sync_head(server, "mallory", 1 << 20).replace("/sync HTTP", "/sync/batch HTTP");
    [head.into_bytes(), vec![b' '; 1_000_000]].concat()
}

/// Fills the feed with changes of the greatest length.
async fn fill(server: &Server) {
    for begin in (0..1500).step_by(100) {
        let reports: Vec<_> = (begin..begin + 100)
            .map(|number| payload::cancelled(payload::numbered(number), &"\u{1F600}".repeat(500)))
            .collect();
        assert_eq!(server.client("filler").batch(&reports).await.status, 200);
    }
}

/// Sends batches as fast as it is let.
fn flood(server: &Server) -> JoinSet<()> {
    let mut senders = JoinSet::new();
    for _ in 0..4 {
        let mallory = server.client("mallory");
        senders.spawn(async move {
            for begin in (0..).step_by(500) {
                let reports: Vec<_> = (begin..begin + 500).map(payload::numbered).collect();
                let request = mallory.request(reqwest::Method::POST, "/api/incidents/sync/batch");
                let _ = Answer::try_to(request.json(&json!({ "incidents": reports }))).await;
            }
        });
    }
    senders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_peers_and_floods_together_cost_less_than_256_mib_and_nobody_else_an_answer() {
    let mut server = Server::start().await;
    fill(&server).await;
    let list = get(&server, "/api/incidents/changes?limit=1000", "");
    let stream = get(&server, "/api/incidents/changes?limit=1000", "Accept: text/event-stream\r\n");
    let docs = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20);
    let mut peers = Vec::new();

    for _ in 0..100 {
        for bytes in [half_a_head(), half_a_head(), half_a_head(), half_a_head(), half_a_head()] {
            peers.push(stalled(&server, bytes).await);
        }
        peers.push(stalled(&server, half_a_batch(&server)).await);
        peers.push(stalled(&server, list.repeat(3).into_bytes()).await);
        peers.push(stalled(&server, stream.clone().into_bytes()).await);
        peers.push(stalled(&server, docs.clone().into_bytes()).await);
    }
    let senders = flood(&server);
    let mut times = Vec::new();
    for number in 0..INNOCENT_REPORTS {
        let began = Instant::now();
        let answer = server.client("alice").sync(&payload::numbered(number)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        times.push(began.elapsed());
    }
    let peak = server.run().memory_peak();

    times.sort_unstable();
    println!("{} MiB at the most, p99 of others {:?}", peak >> 20, times[times.len() * 99 / 100]);
    assert!(peak < MOST_BYTES, "{} MiB", peak >> 20);
    assert!(times.iter().all(|time| *time < PATIENCE));
    drop((senders, peers));
}
