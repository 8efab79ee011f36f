//! A database that is there and does nothing: no refusal, no answer.

use std::{sync::Arc, time::Duration};

use incident_server::store::PgStore;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::support::{
    cluster::Cluster,
    proxy::until,
    server::{Server, reader},
};

const ANSWER: Duration = Duration::from_secs(10);
const DRAIN: Duration = Duration::from_secs(35);

async fn server_on(cluster: &Cluster) -> Arc<Server> {
    let server = Server::start(Arc::new(PgStore::open_url(&cluster.url()).await.unwrap())).await;
    server.report(0, None).await;
    Arc::new(server)
}

/// The statuses of so many syncs at once, by 16 people, lest one has too many under way; none takes too long.
async fn syncs(server: &Arc<Server>, numbers: std::ops::Range<i64>) -> Vec<u16> {
    let mut clients = JoinSet::new();
    for number in numbers {
        let server = Arc::clone(server);
        clients.spawn(async move {
            let sent = Instant::now();
            let status = server.try_report_of(&format!("nurse {}", number % 16), number).await.status();
            assert!(sent.elapsed() < ANSWER, "{:?}", sent.elapsed());
            status.as_u16()
        });
    }
    clients.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sync_is_answered_in_time_then_at_once_and_all_are_taken_when_it_goes_on() {
    let cluster = Cluster::start();
    let server = server_on(&cluster).await;
    cluster.freeze();

    let first = syncs(&server, 1..2000).await;
    let sent = Instant::now();
    let second = syncs(&server, 2000..2100).await;
    let (at_once, ready) = (sent.elapsed(), server.get("/readyz", &reader()).send().await.unwrap());

    assert!(first.iter().chain(&second).all(|status| *status == 503));
    assert!(at_once < Duration::from_secs(2), "{at_once:?}");
    assert_eq!(ready.status(), 503);
    cluster.thaw();
    let is_taken = async || server.try_report(0).await.status().is_success();
    until("a report is taken", Duration::from_secs(5), is_taken).await;
    assert!(syncs(&server, 1..2100).await.iter().all(|status| [200, 201].contains(status)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_on_a_frozen_database_ends_in_time() {
    let cluster = Cluster::start();
    let server = server_on(&cluster).await;
    cluster.freeze();
    let waiting = tokio::spawn({
        let server = Arc::clone(&server);
        async move { syncs(&server, 1..100).await }
    });
    assert!(waiting.await.unwrap().iter().all(|status| *status == 503));

    let server = Arc::into_inner(server).expect("nobody else has it");
    timeout(DRAIN, server.stop()).await.expect("it ends in time");
}
