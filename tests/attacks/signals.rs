//! Signals that come at a bad moment.

use incident_tests::{Server, raw, until};
use tokio::{io::AsyncReadExt, net::TcpStream};

#[tokio::test]
async fn a_second_signal_ends_a_drain_that_waits_for_a_slow_sender() {
    let mut server = Server::start().await;
    let head = raw::sync_head(&server, "alice", 100);
    // 100 Continue shows that the server has read the head and waits for the body.
    let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut sender = raw::send(&server, head).await;
    sender.readable().await.unwrap();
    server.run().terminate().await;
    let address = server.address().to_owned();
    until("no connection is taken any more", async || TcpStream::connect(&address).await.err()).await;
    let second = std::time::Instant::now();

    server.run().terminate().await;
    let status = server.run().end().await;

    assert_eq!(status.code(), Some(128 + 15), "{}", server.log());
    assert!(second.elapsed().as_secs() < 5, "the body's own deadline is 30 s");
    let mut said = String::new();
    let _ = sender.read_to_string(&mut said).await;
    assert!(!said.contains("HTTP/1.1 2"), "{said}");
}
