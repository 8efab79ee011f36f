//! A link that dies without a word: no reset, no refusal, only silence.

use std::{sync::Arc, time::Duration};

use incident_server::store::PgStore;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::support::{
    cluster::Cluster,
    proxy::{Proxy, until},
    server::{Server, reader},
};

const ANSWER: Duration = Duration::from_secs(10);
const RETURN: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_link_is_answered_within_ten_seconds_and_left_behind_when_it_returns() {
    let cluster = Cluster::start();
    let proxy = Proxy::to(cluster.port).await;
    let server = Arc::new(Server::start(Arc::new(PgStore::open_url(&proxy.url()).await.unwrap())).await);
    server.report(0, None).await;
    proxy.cut();

    // They come one after another, so most of them wait behind those that already hang.
    let mut clients = JoinSet::new();
    for number in 1..=100 {
        let server = Arc::clone(&server);
        clients.spawn(async move {
            sleep(Duration::from_millis(50 * number)).await;
            let sent = Instant::now();
            let status = if number % 5 == 0 {
                server.get("/api/incidents", &reader()).send().await.unwrap().status()
            } else {
                server.try_report(i64::try_from(number).unwrap()).await.status()
            };
            (status.as_u16(), sent.elapsed())
        });
    }
    for (status, waited) in clients.join_all().await {
        assert_eq!(status, 503);
        assert!(waited < ANSWER, "{waited:?}");
    }

    proxy.lead_to(cluster.port);
    settled(&server, 0).await;
    for number in 1..=100 {
        server.report(number, None).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_dies_again_and_again_leaves_no_sessions_behind() {
    let cluster = Cluster::start();
    let proxy = Proxy::to(cluster.port).await;
    let server = Server::start(Arc::new(PgStore::open_url(&proxy.url()).await.unwrap())).await;
    for round in 0..3 {
        settled(&server, round).await;
        proxy.cut();
        assert_eq!(server.try_report(100 + round).await.status(), 503);
        proxy.lead_to(cluster.port);
        settled(&server, round).await;
    }
}

/// Sends a report until it is taken, with pauses, or the server would have no processor left to find its database with.
async fn settled(server: &Server, number: i64) {
    until("a report is taken", RETURN, async || server.try_report(number).await.status().is_success()).await;
}
