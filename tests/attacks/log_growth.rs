//! Readers that overlap all the time: SQLite's write-ahead log could never begin anew, and would grow without end.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use incident_tests::{Client, Setup, payload};
use serde_json::Value;
use tokio::task::JoinSet;

const MIB: u64 = 1024 * 1024;
const READERS: usize = 8;
const BATCHES: usize = 50;
const BATCH: usize = 500;

/// Pages through all changes, again and again.
async fn read_on(responder: Client, over: Arc<AtomicBool>) {
    let mut cursor = String::new();
    while !over.load(Ordering::Relaxed) {
        let page = responder.get(&format!("/api/incidents/changes?limit=1000{cursor}")).await;
        if page.status == 503 {
            continue; // on a slow machine a page may take longer than a read may
        }
        let is_last = page.body["changes"].as_array().is_some_and(Vec::is_empty);
        let next = page.body["nextCursor"].as_str().unwrap_or_else(|| panic!("no page: {page:?}"));
        cursor = if is_last { String::new() } else { format!("&after={next}") };
    }
}

/// Reports that are called off at once, with the longest reason.
fn batch(number: usize) -> Vec<Value> {
    let reason = "x".repeat(1000);
    let report = |item| payload::cancelled(payload::numbered(number * BATCH + item), &reason);
    (0..BATCH).map(report).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_overlap_do_not_let_the_write_ahead_log_grow() {
    let setup = Setup::on_sqlite().flag("--rate-limit", "off").flag("--payload-rate-limit", "off");
    let server = setup.start().await;
    let log = server.data_dir().join("incidents.sqlite-wal");
    let (over, mut readers) = (Arc::new(AtomicBool::new(false)), JoinSet::new());
    for _ in 0..READERS {
        readers.spawn(read_on(server.responder(), Arc::clone(&over)));
    }

    let (alice, mut largest) = (server.client("alice"), 0);
    for number in 0..BATCHES {
        let answer = alice.batch(&batch(number)).await;
        assert_eq!(answer.body["results"][BATCH - 1]["httpStatus"], 201, "{}", answer.text);
        largest = largest.max(fs::metadata(&log).expect("there is a log").len());
    }
    over.store(true, Ordering::Relaxed);
    while let Some(read) = readers.join_next().await {
        read.expect("a reader goes on to the end");
    }

    println!("the log had {} MiB at most", largest / MIB);
    assert!(largest < 64 * MIB, "the log had {largest} bytes");
    let metrics = server.get("/metrics").await.text;
    let gauge = metrics.lines().find_map(|line| line.strip_prefix("incident_write_ahead_log_bytes "));
    let now = fs::metadata(&log).expect("there is a log").len().to_string();
    assert_eq!(gauge, Some(&*now));
}
