//! Peers that ask and do not read: without a token, for nothing.

use std::time::{Duration, Instant};

use incident_tests::{Server, Setup, payload, raw, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::memory::fill;

/// More than the connections that a server with 256 files has for everybody.
const PEERS: usize = 120;
/// Many times what the kernels of both sides keep.
const REQUESTS: usize = 40;

async fn server_with_few_places() -> Server {
    Setup::new().files(256).flag("--shutdown-delay", "0s").start().await
}

/// Asks for the largest page again and again and reads nothing of it.
async fn stall(server: &Server) -> TcpStream {
    let request = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n";
    raw::send(server, request.repeat(REQUESTS)).await
}

#[tokio::test]
async fn who_does_not_read_keeps_nobody_from_asking_after_the_servers_health_and_then_loses_the_place() {
    let server = server_with_few_places().await;
    let mut stalled = Vec::new();
    for _ in 0..PEERS {
        stalled.push(stall(&server).await);
    }

    let meanwhile = server.get("/healthz").await;
    let refused = server.client("alice").sync(&payload::report()).await;
    until("there is a place again", async || {
        (server.client("alice").sync(&payload::report()).await.status == 201).then_some(())
    })
    .await;

    assert_eq!((meanwhile.status, meanwhile.header("connection").as_str()), (200, "close"));
    assert_eq!(refused.said(), (503, "overloaded".into()), "at once, and not after a wait in the backlog");
    for mut peer in stalled {
        let ended = async { while peer.read(&mut [0; 8192]).await.is_ok_and(|bytes| bytes > 0) {} };
        tokio::time::timeout(incident_tests::PATIENCE, ended).await.expect("the connection is closed");
    }
}

/// Asks, on a connection of which this side keeps little.
async fn ask(server: &Server, request: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(server.address().parse().unwrap()).await.expect("a connection");
    stream.write_all(request.as_bytes()).await.expect("the server reads");
    stream
}

/// Reads so many bytes at once, in between waits; until the server ends the connection. Returns how many there were.
async fn read_slowly(mut stream: TcpStream, bytes: usize, pause: Duration) -> usize {
    let (mut buffer, mut all) = (vec![0; bytes], 0);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        all += read;
        tokio::time::sleep(pause).await;
    }
    all
}

const LARGEST_PAGE: &str = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
/// 500 bytes a second.
const TRICKLE: (usize, Duration) = (250, Duration::from_millis(500));
/// 80 kB a second: it takes longer than the deadline of one who makes no progress.
const SLOW: (usize, Duration) = (8192, Duration::from_millis(100));

#[tokio::test]
async fn who_trickles_loses_the_place_and_who_reads_slowly_gets_everything() {
    let server = Server::start().await;
    let whole = server.get("/docs/swagger-ui-bundle.js").await.text.len();
    let trickling = tokio::spawn(read_slowly(ask(&server, LARGEST_PAGE).await, TRICKLE.0, TRICKLE.1));
    let slow = tokio::spawn(read_slowly(ask(&server, LARGEST_PAGE).await, SLOW.0, SLOW.1));

    until("the trickler has lost the place", async || {
        (server.metric("incident_connections").await == 2).then_some(())
    })
    .await;

    assert!(!slow.is_finished(), "it was not the slow one");
    assert!(slow.await.unwrap() > whole, "all of it, behind a head");
    trickling.abort();
}

#[tokio::test]
async fn who_does_not_read_delays_the_end_by_no_more_than_five_seconds() {
    let mut server = server_with_few_places().await;
    fill(&server).await;
    let token = server.token("responder", Some("incidents:read"));
    let head = format!("Host: a\r\nAuthorization: Bearer {token}\r\nAccept: text/event-stream");
    let _page = stall(&server).await;
    let _stream = ask(&server, &format!("GET /api/incidents/changes HTTP/1.1\r\n{head}\r\n\r\n")).await;
    let trickling = tokio::spawn(read_slowly(ask(&server, LARGEST_PAGE).await, TRICKLE.0, TRICKLE.1));
    until("the stream is open", async || (server.metric("incident_streams").await == 1).then_some(())).await;
    let asked = Instant::now();

    server.run().terminate().await;
    let status = server.run().end().await;

    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed().as_secs() < 5, "{:?}", asked.elapsed());
    trickling.abort();
}
