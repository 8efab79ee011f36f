//! Who sends too slowly is cut off, and the others notice nothing.

use std::time::{Duration, Instant};

use incident_tests::{Server, payload, raw};
use tokio::{io::AsyncWriteExt, net::TcpStream};

const HEADERS: Duration = Duration::from_secs(10);
const BODY: Duration = Duration::from_secs(30);

/// Sends a byte now and then until the server answers or closes; returns what it said and after how long.
async fn drip(mut stream: TcpStream) -> (String, Duration) {
    let started = Instant::now();
    let (mut reader, mut writer) = stream.split();
    let mut said = Vec::new();
    let dripping = async {
        loop {
            tokio::time::sleep(Duration::from_millis(500)).await;
            if writer.write_all(b" ").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        // A reset is an end too.
        _ = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut said) => {}
        () = dripping => {}
    }
    (String::from_utf8_lossy(&said).into_owned(), started.elapsed())
}

fn in_time(took: Duration, deadline: Duration) -> bool {
    took + Duration::from_secs(1) > deadline && took < deadline * 2
}

#[tokio::test]
async fn slow_headers_and_slow_bodies_end_at_their_deadlines() {
    let server = Server::start().await;
    let nothing = raw::send(&server, "").await;
    let half_a_head = raw::send(&server, "POST /api/incidents/sync HTTP/1.1\r\nX: ").await;
    let half_a_body = raw::send(&server, raw::sync_head(&server, "alice", 10_000) + "{").await;

    let (nothing, head, body, bobs) =
        tokio::join!(drip_nothing(nothing), drip(half_a_head), drip(half_a_body), async {
            server.client("bob").sync(&payload::report()).await
        });

    assert!(in_time(nothing, HEADERS), "{nothing:?}");
    assert!(in_time(head.1, HEADERS) && !head.0.contains("HTTP/1.1 2"), "{head:?}");
    assert!(in_time(body.1, BODY), "{body:?}");
    let answer = raw::answer(&body.0);
    assert_eq!(answer.said(), (408, "request-timeout".into()));
    assert_eq!((&answer.body["disposition"], bobs.status), (&"retry".into(), 201));
}

/// A connection on which nothing is ever sent.
async fn drip_nothing(mut stream: TcpStream) -> Duration {
    let started = Instant::now();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await;
    started.elapsed()
}
