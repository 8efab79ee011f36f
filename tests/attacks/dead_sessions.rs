//! A router forgets the sessions with PostgreSQL while they are idle: no reset, only silence.

use std::time::{Duration, Instant};

use incident_tests::{Client, payload};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use super::{cluster::Cluster, clusters, proxy::Proxy};

/// As many as a server keeps for reading.
const SESSIONS: usize = 8;

/// The server ends them and says so; nothing that only reads is refused for that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_the_database_ended_cost_no_read() {
    let cluster = Cluster::start();
    let server = clusters::on(&cluster.url()).start().await;
    let alice = server.client("alice");
    read_at_once(&alice).await;
    let mut session = PgConnection::connect(&cluster.url()).await.unwrap();
    let end =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'incident-server'";
    sqlx::query(end).execute(&mut session).await.unwrap();

    for _ in 0..SESSIONS {
        assert_eq!(alice.get("/api/incidents").await.status, 200);
    }
}

/// As many as there may be, so that there is a session for each.
async fn read_at_once(alice: &Client) {
    let mut reading = JoinSet::new();
    for _ in 0..SESSIONS {
        let alice = alice.clone();
        reading.spawn(async move { alice.get("/api/incidents").await.status });
    }
    assert!(reading.join_all().await.iter().all(|status| *status == 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_died_while_they_were_idle_cost_two_reads_at_most() {
    let cluster = Cluster::start();
    let proxy = Proxy::to(cluster.port).await;
    let server = clusters::on(&proxy.url()).start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::report()).await.status, 201);
    read_at_once(&alice).await;
    proxy.cut();
    proxy.lead_to(cluster.port);

    let (began, mut refused) = (Instant::now(), 0);
    for _ in 0..SESSIONS {
        refused += i32::from(alice.get("/api/incidents").await.said() == (503, "overloaded".into()));
    }

    assert!(refused <= 2, "{refused} of {SESSIONS}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(alice.get("/api/incidents").await.status, 200);
    let mut written = alice.sync(&payload::numbered(1)).await;
    if written.status == 503 {
        written = alice.sync(&payload::numbered(1)).await;
    }
    assert_eq!(written.status, 201, "one dead session for writing costs one answer");
}
