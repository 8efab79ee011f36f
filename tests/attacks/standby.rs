//! The synchronous standby is away: nothing is acknowledged, nobody waits for long, and no sessions pile up.

use std::time::{Duration, Instant};

use incident_tests::{payload, until};
use sqlx::{Connection, PgConnection};

use super::{cluster::Cluster, clusters};

/// Batches that a server has on their way at once.
const WRITERS: i64 = 2;
const STUCK: &str = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_standby_is_away_no_more_sessions_wait_for_it_than_there_are_writers() {
    let primary = Cluster::start();
    let standby = primary.synchronous_standby();
    let server = clusters::on(&primary.url()).start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(0)).await.status, 201);
    let mut session = PgConnection::connect(&primary.url()).await.unwrap();
    standby.stop();

    let (began, mut at_once) = (Instant::now(), 0);
    for number in 1.. {
        let (sent, report) = (Instant::now(), payload::numbered(number));
        let (synced, ready) = tokio::join!(alice.sync(&report), server.get("/readyz"));
        assert_eq!((synced.said(), ready.status), ((503, "overloaded".into()), 503));
        assert!(sent.elapsed() < Duration::from_secs(10));
        at_once += i32::from(sent.elapsed() < Duration::from_secs(1));
        let stuck: i64 = sqlx::query_scalar(STUCK).fetch_one(&mut session).await.unwrap();
        assert!(stuck <= WRITERS, "{stuck} sessions wait");
        if began.elapsed() > Duration::from_secs(12) {
            break;
        }
    }
    assert!(at_once > 10, "once it is known, nobody waits: {at_once}");

    standby.resume();
    let returned = Instant::now();
    until("it commits again", async || (alice.sync(&payload::numbered(1)).await.status < 300).then_some(()))
        .await;
    assert!(returned.elapsed() < Duration::from_secs(5), "{:?}", returned.elapsed());
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_means_that_writing_works_and_the_wait_for_it_leaves_nothing_behind() {
    let primary = Cluster::start();
    let standby = primary.synchronous_standby();
    let setup = clusters::on(&primary.url());
    setup.clone().start().await.stop().await;
    standby.stop();

    let mut run = setup.program().start();
    let refusals = || run.log().matches("the database takes no writes").count();
    until("it has tried twice", async || (refusals() >= 2).then_some(())).await;
    assert!(!run.out().contains("listens on"), "{}", run.out());
    let mut session = PgConnection::connect(&primary.url()).await.unwrap();
    let stuck: i64 = sqlx::query_scalar(STUCK).fetch_one(&mut session).await.unwrap();
    assert!(stuck <= 1, "{stuck} sessions wait for two attempts");

    standby.resume();
    until("it listens", async || run.out().contains("listens on").then_some(())).await;
    run.kill().await;
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}
