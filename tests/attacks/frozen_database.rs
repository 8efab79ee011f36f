//! A database that is there and does nothing: no refusal, no answer. Whoever reports is told in time, and what the
//! reports take in memory is bounded.

use std::{
    ops::Range,
    time::{Duration, Instant},
};

use incident_tests::{Answer, Link, Server, Setup, payload, until};
use serde_json::Value;
use tokio::task::JoinSet;

const ANSWER: Duration = Duration::from_secs(10);
const END: Duration = Duration::from_secs(35);
const MOST_BYTES: u64 = 256 << 20;
const REFUSALS: &str = r#"incident_refusals_total{problem="overloaded"}"#;
/// Answered to those whose reports did not go near the database.
const NOT_TRIED: &str = "nothing was tried";
/// One has no more than a few hundred requests under way.
const PEOPLE: usize = 16;

fn unlimited(setup: Setup) -> Setup {
    setup.flag("--rate-limit", "off").flag("--payload-rate-limit", "off").flag("--shutdown-delay", "0s")
}

/// A server on PostgreSQL, and what can hold it up.
async fn server_on_a_link() -> (Server, Link) {
    with_transactions_of(512).await
}

/// The same, where a transaction takes so many reports.
async fn with_transactions_of(reports: usize) -> (Server, Link) {
    let setup = unlimited(Setup::on_postgres()).flag("--max-commit-batch", reports.to_string());
    let link = Link::to(setup.database()).await;
    let server = setup.flag("--database-url", link.url()).start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    (server, link)
}

/// As long as a report may be.
fn long(number: usize) -> Value {
    let report = payload::cancelled(payload::numbered(number), &"\u{1F600}".repeat(1000));
    payload::with(report, "unknown", "x".repeat(24_000))
}

/// A batch as long as a batch may be.
fn long_batch() -> Vec<Value> {
    let reason = "\u{1F600}".repeat(1000);
    (0..200).map(|number| payload::cancelled(payload::numbered(number), &reason)).collect()
}

/// So many reports at once, by many people; each is answered in time.
fn reports(server: &Server, count: usize) -> JoinSet<(usize, Answer)> {
    let mut sending = JoinSet::new();
    let people: Vec<_> = (0..PEOPLE).map(|person| server.client(&format!("nurse {person}"))).collect();
    for number in 0..count {
        let nurse = people[number % PEOPLE].clone();
        sending.spawn(async move {
            let sent = Instant::now();
            let answer = nurse.sync(&long(number)).await;
            assert!(sent.elapsed() < ANSWER, "{:?}: {answer:?}", sent.elapsed());
            (number, answer)
        });
    }
    sending
}

/// The same of batches, each by somebody else.
fn batches(server: &Server, numbers: Range<u64>) -> JoinSet<Answer> {
    let mut sending = JoinSet::new();
    for number in numbers {
        let ward = server.client(&format!("ward {number}"));
        sending.spawn(async move {
            let (batch, sent) = (long_batch(), Instant::now());
            let answer = ward.batch(&batch).await;
            assert!(sent.elapsed() < ANSWER, "{:?}: {answer:?}", sent.elapsed());
            answer
        });
    }
    sending
}

/// Everything at once, and then somebody who comes later.
async fn is_answered_in_time_and_bounded(mut server: Server) {
    let (reports, batches) = (reports(&server, 1500), batches(&server, 0..100));
    let (reports, batches) = (reports.join_all().await, batches.join_all().await);
    let later = Instant::now();
    let at_once = server.client("bob").sync(&payload::report()).await;

    let all = reports.iter().map(|(_, answer)| answer).chain(&batches).chain([&at_once]);
    for answer in all {
        assert_eq!(answer.said(), (503, "overloaded".into()));
    }
    assert!(later.elapsed() < Duration::from_secs(2), "the breaker is open: {:?}", later.elapsed());
    let peak = server.run().memory_peak();
    println!("{} MiB at the most", peak >> 20);
    assert!(peak < MOST_BYTES, "{} MiB", peak >> 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sync_is_answered_within_ten_seconds_and_memory_is_bounded_on_postgres() {
    let (server, link) = server_on_a_link().await;
    link.hold_up();
    is_answered_in_time_and_bounded(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sync_is_answered_within_ten_seconds_and_memory_is_bounded_on_sqlite() {
    let server = unlimited(Setup::on_sqlite()).start().await;
    let _lock = server.database().stop_writers().await;
    is_answered_in_time_and_bounded(server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_that_the_database_does_not_answer() {
    let (server, link) = server_on_a_link().await;
    link.hold_up();

    reports(&server, 4).join_all().await;

    let away = "no PostgreSQL session can be had";
    until("it is logged", async || server.log().contains(away).then_some(())).await;
    let log = server.log();
    let said = log.lines().find(|said| said.contains(away)).unwrap();
    assert!(said.contains("it did not answer in time"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_too_long_never_touches_the_database() {
    let (server, link) = with_transactions_of(1).await;
    link.hold_up();

    let answers = reports(&server, 200).join_all().await;
    let not_tried = answers.into_iter().filter(|(_, answer)| {
        assert_eq!(answer.said(), (503, "overloaded".into()));
        answer.body["detail"].as_str().is_some_and(|detail| detail.contains(NOT_TRIED))
    });
    let not_tried: Vec<_> = not_tried.map(|(number, _)| number).collect();
    link.let_go();
    until("it commits again", async || (server.get("/readyz").await.status == 200).then_some(())).await;

    assert!(not_tried.len() > 190, "all but the first transactions: {}", not_tried.len());
    for number in not_tried {
        let nurse = server.client(&format!("nurse {}", number % PEOPLE));
        let again = nurse.sync(&long(number)).await;
        assert_eq!(again.said(), (201, "createdAndCancelled".into()), "{number}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_counts_bytes_and_not_payloads_alone() {
    let setup = unlimited(Setup::new()).flag("--max-in-flight", usize::MAX.to_string());
    let server = setup.start().await;
    let mut lock = server.database().stop_writers().await;

    // Not all at once: the bodies on their way have a limit of their own.
    let mut waiting = Vec::new();
    for group in [0, 15, 30, 45] {
        waiting.push(batches(&server, group..group + 15));
        until("they wait or are refused", async || {
            let refused = server.metric(REFUSALS).await;
            (server.metric("incident_queue_depth").await + 200 * refused >= 200 * (group + 15)).then_some(())
        })
        .await;
    }
    lock.run("ROLLBACK").await;
    let mut answers = Vec::new();
    for group in waiting {
        answers.extend(group.join_all().await);
    }

    let is_full = |answer: &Answer| {
        let detail = answer.body["detail"].as_str();
        detail.is_some_and(|detail| detail.contains("too many requests wait for their commit"))
    };
    let full = answers.iter().filter(|answer| is_full(answer)).count();
    assert!((10..60).contains(&full), "{full} of 60 batches of 0.8 MiB found no room in 32 MiB: {answers:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_ends_in_time_while_syncs_wait_for_a_frozen_database() {
    let (mut server, link) = server_on_a_link().await;
    link.hold_up();
    let waiting = reports(&server, 100);
    until("all wait", async || (server.metric("incident_queue_depth").await == 100).then_some(())).await;

    let signalled = Instant::now();
    server.run().terminate().await;
    let (answers, status) = (waiting.join_all().await, server.run().end().await);

    assert!(answers.iter().all(|(_, answer)| answer.status == 503), "all are answered");
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(signalled.elapsed() < END, "{:?}", signalled.elapsed());
}
