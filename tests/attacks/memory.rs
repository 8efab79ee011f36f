//! Everything that fills memory, together: half-sent heads, stalled bodies, answers and streams that nobody reads,
//! and batches without end. The server stays below 256 MiB, and somebody else's reports are taken.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use incident_tests::{Answer, Server, payload, raw};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

const MOST_BYTES: u64 = 256 << 20;
const INNOCENT_REPORTS: usize = 200;
/// 99 of 100 of them are answered by then; on a machine that is busy with something else, within `TRANSACTIONS`.
const ANSWERED: Duration = Duration::from_millis(500);
/// As long as so many of the largest take undisturbed: the one that runs, the report's own, and one for the rest.
const TRANSACTIONS: u32 = 3;

/// So many of each, at once: they connect, send as much as the server takes, and read nothing.
async fn stalled(server: &Server, kinds: &[(usize, Vec<u8>)]) -> Vec<TcpStream> {
    let mut peers = JoinSet::new();
    for (count, bytes) in kinds {
        for _ in 0..*count {
            let (address, bytes) = (server.address().to_owned(), bytes.clone());
            peers.spawn(async move {
                let mut stream = TcpStream::connect(address).await.expect("the server takes connections");
                let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(&bytes)).await;
                stream
            });
        }
    }
    peers.join_all().await
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
pub(super) async fn fill(server: &Server) {
    for begin in (0..1500).step_by(100) {
        let reports: Vec<_> = (begin..begin + 100)
            .map(|number| payload::cancelled(payload::numbered(number), &"\u{1F600}".repeat(500)))
            .collect();
        assert_eq!(server.client("filler").batch(&reports).await.status, 200);
    }
}

/// The most reports that a batch may have.
fn batch(first: usize) -> Bytes {
    let reports: Vec<_> = (first..first + 500).map(payload::numbered).collect();
    Bytes::from(json!({ "incidents": reports }).to_string())
}

/// How long a batch takes while nobody else asks for anything.
async fn undisturbed(server: &Server) -> Duration {
    let (batch, began) = (batch(0), Instant::now());
    assert_eq!(server.client("bob").batch_text(batch).await.status, 200);
    began.elapsed()
}

/// Sends batches as fast as it is let. They are made before, for they would keep this machine busier than the server.
fn flood(server: &Server) -> JoinSet<()> {
    let batches: Vec<_> = (0..10).map(|number| batch(500 * number)).collect();
    let mut senders = JoinSet::new();
    for _ in 0..4 {
        let (mallory, batches) = (server.client("mallory"), batches.clone());
        senders.spawn(async move {
            for batch in batches.into_iter().cycle() {
                let request = mallory.request(reqwest::Method::POST, "/api/incidents/sync/batch");
                let request = request.header("content-type", "application/json").body(batch);
                let _ = Answer::try_to(request).await;
            }
        });
    }
    senders
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stalled_peers_and_floods_together_cost_less_than_256_mib_and_nobody_else_an_answer() {
    let mut server = Server::start().await;
    fill(&server).await;
    let in_time = ANSWERED.max(TRANSACTIONS * undisturbed(&server).await);
    let list = get(&server, "/api/incidents/changes?limit=1000", "");
    let stream = get(&server, "/api/incidents/changes?limit=1000", "Accept: text/event-stream\r\n");
    let docs = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20);
    let rude = [
        (500, half_a_head()),
        (100, half_a_batch(&server)),
        (100, list.repeat(3).into_bytes()),
        (100, stream.into_bytes()),
        (100, docs.into_bytes()),
    ];

    let peers = stalled(&server, &rude).await;
    let senders = flood(&server);
    let (alice, mut times) = (server.client("alice"), Vec::new());
    for number in 0..INNOCENT_REPORTS {
        let began = Instant::now();
        let answer = alice.sync(&payload::numbered(number)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        times.push(began.elapsed());
    }
    let peak = server.run().memory_peak();

    times.sort_unstable();
    let p99 = times[times.len() * 99 / 100 - 1];
    println!("{} MiB at the most, p99 of others {p99:?}, {in_time:?} is in time", peak >> 20);
    assert!(peak < MOST_BYTES, "{} MiB", peak >> 20);
    assert!(p99 < in_time, "{p99:?}, {in_time:?} is in time");
    drop((senders, peers));
}
