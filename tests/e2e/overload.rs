//! A server that cannot commit says so, and when it can again nothing is lost and nothing doubled.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use incident_tests::{Answer, Server, Setup, payload, until};
use tokio::task::{JoinHandle, JoinSet};

/// The answer to a request, to be waited for; returns once its payloads, so many, wait for their commit.
async fn once_it_waits(
    server: &Server,
    payloads: u64,
    answer: impl Future<Output = Answer> + Send + 'static,
) -> JoinHandle<Answer> {
    let answer = tokio::spawn(answer);
    let waits = async || (server.metric("incident_queue_depth").await == payloads).then_some(());
    until("the first one waits", waits).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_finds_no_place_in_the_queue_is_sent_away_and_comes_again() {
    // Whoever comes again and again is counted, too, and would be told to come more slowly.
    let unlimited = Setup::new().flag("--rate-limit", "off").flag("--payload-rate-limit", "off");
    let server = unlimited.flag("--max-in-flight", "1").start().await;
    let mut lock = server.database().stop_writers().await;
    let sent_away = Arc::new(AtomicUsize::new(0));
    let mut sending = JoinSet::new();
    for number in 0..50 {
        let (alice, sent_away) = (server.client("alice"), Arc::clone(&sent_away));
        sending.spawn(async move {
            let started = Instant::now();
            loop {
                let answer = alice.sync(&payload::numbered(number)).await;
                if answer.status == 201 {
                    return;
                }
                assert_eq!(answer.said(), (503, "overloaded".into()));
                assert!(started.elapsed() < incident_tests::PATIENCE);
                sent_away.fetch_add(1, Ordering::Relaxed);
            }
        });
    }

    until("all but one are sent away", async || (sent_away.load(Ordering::Relaxed) >= 49).then_some(()))
        .await;
    lock.run("ROLLBACK").await;
    sending.join_all().await;

    let listed = server.client("alice").get("/api/incidents").await;
    assert_eq!(listed.body["incidents"].as_array().map(Vec::len), Some(50));
}

#[tokio::test]
async fn the_queue_may_be_as_long_as_a_number_can_say() {
    let server = Setup::new().flag("--max-in-flight", usize::MAX.to_string()).start().await;

    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_is_503_and_serves_again_when_it_does() {
    let server = Server::start().await;
    let alice = server.client("alice");
    let mut lock = server.database().stop_writers().await;

    let refused = alice.sync(&payload::report()).await;
    let healthy = server.get("/healthz").await;
    let read = alice.get("/api/incidents").await;
    lock.run("ROLLBACK").await;

    assert_eq!(refused.said(), (503, "overloaded".into()));
    assert!((1..=5).contains(&refused.header("retry-after").parse::<u32>().unwrap()), "{refused:?}");
    assert_eq!(refused.body["disposition"], "retry");
    assert_eq!((healthy.status, read.status), (200, 200));
    // Whether what was refused took effect in the end is not known.
    let again = alice.sync(&payload::report()).await;
    assert!([(201, "created".into()), (200, "unchanged".into())].contains(&again.said()), "{again:?}");
    assert_eq!(alice.kinds(&again.id()).await, ["created"]);
}

#[tokio::test]
async fn the_queue_counts_payloads_and_not_requests() {
    let server = Setup::new().flag("--max-in-flight", "10").start().await;
    let mut lock = server.database().stop_writers().await;
    let batch = |from: usize| (from..from + 6).map(payload::numbered).collect::<Vec<_>>();
    let (alice, six) = (server.client("alice"), batch(0));
    let first = once_it_waits(&server, 6, async move { alice.batch(&six).await }).await;

    let second = server.client("bob").batch(&batch(0)).await;

    assert_eq!(second.said(), (503, "overloaded".into()));
    lock.run("ROLLBACK").await;
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn those_who_are_sent_away_do_not_return_in_one_second() {
    let server = Setup::new().flag("--max-in-flight", "1").flag("--rate-limit", "off").start().await;
    let mut lock = server.database().stop_writers().await;
    let alice = server.client("alice");
    let first = once_it_waits(&server, 1, async move { alice.sync(&payload::report()).await }).await;

    let mut seconds = HashSet::new();
    for _ in 0..50 {
        seconds.insert(server.client("bob").sync(&payload::report()).await.header("retry-after"));
    }

    assert!(seconds.len() > 2 && seconds.iter().all(|text| ["1", "2", "3", "4", "5"].contains(&&**text)));
    lock.run("ROLLBACK").await;
    assert_eq!(first.await.unwrap().status, 201);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_does_not_let_wait() {
    let server = Setup::new().flag("--max-in-flight", "1").start().await;
    let mut lock = server.database().stop_writers().await;
    let alice = server.client("alice");
    let first = once_it_waits(&server, 1, async move { alice.sync(&payload::report()).await }).await;

    let started = Instant::now();
    let second = server.client("bob").sync(&payload::report()).await;

    assert_eq!(second.said(), (503, "overloaded".into()));
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
    lock.run("ROLLBACK").await;
    assert_eq!(first.await.unwrap().status, 201, "the one that waited is not spoiled");
}
