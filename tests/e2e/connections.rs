//! A client that goes away, or talks nonsense, leaves no half effect and costs nobody else anything.

use incident_tests::{Server, payload, raw, until};
use tokio::{io::AsyncWriteExt, task::JoinSet};

#[tokio::test]
async fn a_half_sent_body_has_no_effect() {
    let server = Server::start().await;
    let body = payload::report().to_string();

    for half in [0, 1, body.len() / 2, body.len() - 1] {
        let head = raw::sync_head(&server, "alice", body.len());
        let mut stream = raw::send(&server, head + &body[..half]).await;
        stream.shutdown().await.unwrap();
        let answer = raw::rest(&mut stream).await;
        assert!(!answer.contains("HTTP/1.1 2"), "{answer}");
    }

    let listed = server.client("alice").get("/api/incidents").await;
    assert_eq!(listed.body["incidents"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn a_client_that_hangs_up_after_its_request_leaves_a_whole_effect_or_none() {
    let server = Server::unlimited().await;
    let mut sending = JoinSet::new();
    for number in 0..200 {
        let body = payload::cancelled(payload::numbered(number), "false alarm").to_string();
        let request = raw::sync_head(&server, "alice", body.len()) + &body;
        let address = server.address().to_owned();
        sending.spawn(async move {
            let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
        });
    }
    sending.join_all().await;

    let alice = server.client("alice");
    for number in 0..200 {
        let payload = payload::cancelled(payload::numbered(number), "false alarm");
        let answer = alice.sync(&payload).await;
        assert!(
            matches!(answer.said(), (201, o) if o == "createdAndCancelled")
                || answer.body["outcome"] == "unchanged"
        );
        assert_eq!(alice.kinds(&answer.id()).await, ["created", "cancelled"]);
    }
}

#[tokio::test]
async fn a_client_that_closes_only_its_sending_side_is_answered() {
    let server = Server::start().await;
    let body = payload::report().to_string();

    let mut stream = raw::send(&server, raw::sync_head(&server, "alice", body.len()) + &body).await;
    stream.shutdown().await.unwrap();

    let answer = raw::rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
}

#[tokio::test]
async fn a_body_in_chunks_is_taken_and_one_that_breaks_off_is_not() {
    let server = Server::start().await;
    let head = raw::sync_head(&server, "alice", 0).replace("Content-Length: 0", "Transfer-Encoding: chunked");
    let body = payload::report().to_string();
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());

    let mut broken = raw::send(&server, format!("{head}{chunk}")).await;
    broken.shutdown().await.unwrap();
    assert!(!raw::rest(&mut broken).await.contains("HTTP/1.1 2"));
    let mut whole = raw::send(&server, format!("{head}{chunk}0\r\n\r\n")).await;
    whole.shutdown().await.unwrap();

    assert!(
        raw::rest(&mut whole).await.starts_with("HTTP/1.1 201 Created\r\n"),
        "the broken one had no effect"
    );
}

#[tokio::test]
async fn nonsense_on_the_line_is_refused_and_the_server_serves_on() {
    let server = Server::start().await;
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));

    for nonsense in
        ["\r\n\r\n\r\nHELO\r\n\r\n", "GET\r\n\r\n", "\u{0}\u{1}\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", &long]
    {
        let mut stream = tokio::net::TcpStream::connect(server.address()).await.unwrap();
        // The server may close before it has read all.
        let _ = stream.write_all(nonsense.as_bytes()).await;
        let _ = stream.shutdown().await;
        let mut answer = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer).await;
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }

    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn a_body_far_over_the_limit_is_answered_although_it_is_not_read() {
    let server = Server::start().await;
    let body = "x".repeat(8 << 20);

    for _ in 0..5 {
        let answer = server.client("alice").sync_text(body.clone()).await;
        assert_eq!(answer.said(), (413, "payload-too-large".into()));
        let answer = server.stranger().batch_text(body.clone()).await;
        assert_eq!(answer.said(), (401, "unauthorized".into()));
    }
}

#[tokio::test]
async fn the_queue_is_empty_again_after_clients_have_gone() {
    let server = Server::unlimited().await;
    for number in 0..50 {
        let body = payload::numbered(number).to_string();
        drop(raw::send(&server, raw::sync_head(&server, "alice", body.len()) + &body).await);
    }

    until("the queue is empty", async || {
        let metrics = server.get("/metrics").await.text;
        metrics.contains("incident_queue_depth 0\n").then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_says_that_the_connection_closes() {
    let server = Server::start().await;
    let (alice, stranger) = (server.client("alice"), server.stranger());

    assert_eq!(stranger.sync(&payload::report()).await.header("connection"), "close");
    assert_eq!(alice.sync_text("x".repeat(100_000)).await.header("connection"), "close");
    assert_eq!(alice.sync_text("{").await.header("connection"), "", "it was read");
    assert_eq!(alice.sync(&payload::report()).await.header("connection"), "");
    assert_eq!(stranger.get("/api/incidents").await.header("connection"), "", "there was none");
}
