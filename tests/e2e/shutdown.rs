//! SIGTERM: what was accepted is answered, then the program ends well.

use std::time::{Duration, Instant};

use incident_tests::{Server, Setup, payload, raw, until};
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

#[tokio::test]
async fn a_request_that_has_begun_is_answered_before_the_end() {
    let mut server = Server::start().await;
    let body = payload::report().to_string();
    let head = raw::sync_head(&server, "alice", body.len());
    // 100 Continue shows that the server has read the head and waits for the body.
    let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut stream = raw::send(&server, head).await;
    stream.readable().await.unwrap();

    server.run().terminate().await;
    let address = server.address().to_owned();
    until("no connection is taken any more", async || TcpStream::connect(&address).await.err()).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let answer = raw::rest(&mut stream).await;

    assert!(answer.contains("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(server.run().end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_answer_given_holds_after_the_next_start() {
    let mut server = Server::unlimited().await;
    let mut senders = JoinSet::new();
    for sender in 0..8 {
        let alice = server.client("alice");
        senders.spawn(async move {
            let mut kept = Vec::new();
            for number in (sender..).step_by(8) {
                let request = alice.request(reqwest::Method::POST, "/api/incidents/sync");
                match incident_tests::Answer::try_to(request.json(&payload::numbered(number))).await {
                    Ok(answer) if answer.status == 201 => kept.push(number),
                    Ok(answer) => assert_eq!(answer.said(), (503, "overloaded".into())),
                    Err(_) => return kept,
                }
            }
            kept
        });
    }
    until("there is load", async || {
        server
            .get("/metrics")
            .await
            .text
            .contains("incident_outcomes_total{outcome=\"created\"}")
            .then_some(())
    })
    .await;

    server.run().terminate().await;
    let status = server.run().end().await;
    let kept = senders.join_all().await.concat();
    let server = server.kill_and_restart().await;

    assert_eq!(status.code(), Some(0));
    assert!(!kept.is_empty());
    for number in kept {
        let replay = server.client("alice").sync(&payload::numbered(number)).await;
        assert_eq!(replay.said(), (200, "unchanged".into()), "{number}");
    }
}

#[tokio::test]
async fn an_idle_server_with_open_connections_ends_at_once() {
    let mut server = Server::start().await;
    let _idle = raw::send(&server, "").await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    let started = std::time::Instant::now();

    server.run().terminate().await;
    let status = server.run().end().await;

    assert_eq!(status.code(), Some(0));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
    until("the database is closed", async || (!server.database().is_open().await).then_some(())).await;
}

/// The statuses of twenty syncs; returns once all of them wait for their commit.
async fn twenty_that_wait(server: &Server) -> JoinSet<u16> {
    let mut sending = JoinSet::new();
    for number in 0..20 {
        let alice = server.client("alice");
        sending.spawn(async move { alice.sync(&payload::numbered(number)).await.status });
    }
    until("all wait", async || (server.metric("incident_queue_depth").await == 20).then_some(())).await;
    sending
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn syncs_that_wait_for_the_database_at_the_end_are_committed() {
    let mut server = Setup::new().flag("--shutdown-delay", "0s").start().await;
    let mut lock = server.database().stop_writers().await;
    let sending = twenty_that_wait(&server).await;

    server.run().terminate().await;
    let address = server.address().to_owned();
    until("no connection is taken any more", async || TcpStream::connect(&address).await.err()).await;
    lock.run("ROLLBACK").await;

    assert_eq!(sending.join_all().await, [201; 20]);
    assert_eq!(server.run().end().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_does_not_delay_the_end() {
    let mut server = Setup::new().flag("--shutdown-delay", "0s").start().await;
    let _lock = server.database().stop_writers().await;
    let sending = twenty_that_wait(&server).await;

    let signalled = Instant::now();
    server.run().terminate().await;
    let (statuses, status) = (sending.join_all().await, server.run().end().await);

    assert_eq!(statuses, [503; 20]);
    assert_eq!(status.code(), Some(0), "{}", server.log());
    assert!(signalled.elapsed() < Duration::from_secs(35), "{:?}", signalled.elapsed());
}
