//! Peers that ask and do not read: without a token, for nothing.

use incident_tests::{Server, Setup, payload, raw, until};
use tokio::{io::AsyncReadExt, net::TcpStream};

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

#[tokio::test]
async fn who_does_not_read_delays_the_end_by_no_more_than_five_seconds() {
    let mut server = server_with_few_places().await;
    let _stalled = stall(&server).await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    let asked = std::time::Instant::now();

    server.run().terminate().await;
    let status = server.run().end().await;

    assert_eq!(status.code(), Some(0));
    assert!(asked.elapsed().as_secs() < 5, "{:?}", asked.elapsed());
}
