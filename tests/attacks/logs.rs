//! A log that nobody reads, and strangers who would fill one.

use incident_tests::{Server, Setup, payload, until};

/// Asks without a token, on one connection, and waits for the last answer.
async fn ask(server: &Server, path: &str, times: usize) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").repeat(times - 1);
    let last = format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("a connection");
    let (mut reader, mut writer) = stream.split();
    let mut answers = Vec::new();
    let sending = async {
        use tokio::io::AsyncWriteExt;
        writer.write_all((request + &last).as_bytes()).await.expect("the server reads");
    };
    let reading = tokio::io::AsyncReadExt::read_to_end(&mut reader, &mut answers);
    let ((), read) = tokio::time::timeout(incident_tests::PATIENCE, async { tokio::join!(sending, reading) })
        .await
        .expect("every request is answered");
    read.expect("the answers can be read");
    let answered = String::from_utf8_lossy(&answers).matches("HTTP/1.1 ").count();
    assert_eq!(answered, times);
}

#[tokio::test]
async fn a_log_that_nobody_reads_costs_lines_and_nobody_an_answer() {
    let server = Setup::new().with_an_unread_log().start().await;

    ask(&server, "/healthz", 12_000).await;

    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    until("the lines are counted", async || {
        let metrics = server.get("/metrics").await.text;
        let dropped = metrics.lines().find_map(|line| line.strip_prefix("incident_log_lines_dropped_total "));
        (dropped?.parse::<u64>().unwrap() > 1000).then_some(())
    })
    .await;
    assert_eq!(server.stop().await.0.code(), Some(0), "nor does it keep the server from ending");
}

#[tokio::test]
async fn strangers_cost_no_line_each() {
    let server = Setup::new().variable("INCIDENT_LOG", "info").start().await;

    for path in ["/api/incidents", "/nowhere", "/docs/nowhere", "/board/nowhere"] {
        ask(&server, path, 2_000).await;
    }

    let metrics = server.get("/metrics").await.text;
    let line = r#"incident_requests_total{route="/api/incidents",status="401"} 2000"#;
    assert!(metrics.contains(line), "they are counted: {metrics}");
    let (_, log) = server.stop().await;
    assert!(log.lines().count() < 20, "{log}");
    assert!(log.contains("refused; others were counted"), "{log}");
}

#[tokio::test]
async fn nor_does_a_line_each_who_is_refused_because_the_server_is_not_well() {
    let server = Setup::new().variable("INCIDENT_LOG", "info").start().await;
    let mut lock = server.database().stop_writers().await;
    until("not ready", async || (server.get("/readyz").await.status == 503).then_some(())).await;

    ask(&server, "/readyz", 2_000).await;
    lock.run("ROLLBACK").await;

    let (_, log) = server.stop().await;
    let lines = log.lines().filter(|line| line.contains("\"status\":503")).count();
    assert!(lines < 10, "{log}");
}

#[tokio::test]
async fn nor_who_finds_no_room_for_a_large_answer() {
    let server = Setup::new().variable("INCIDENT_LOG", "info").start().await;
    let mut stalled = Vec::new();
    let largest = "/docs/swagger-ui-bundle.js";
    until("there is no room", async || {
        let request = format!("GET {largest} HTTP/1.1\r\nHost: a\r\n\r\n");
        stalled.push(incident_tests::raw::send(&server, request).await);
        (server.get(largest).await.status == 503).then_some(())
    })
    .await;

    ask(&server, largest, 2_000).await;

    let (_, log) = server.stop().await;
    let lines = log.lines().filter(|line| line.contains("\"status\":503")).count();
    assert!(lines < 10, "{log}");
}
