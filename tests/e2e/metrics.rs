//! The figures that alerts and dashboards are made of.

use incident_tests::{Client, Events, Server, payload, until};
use serde_json::json;

async fn metrics(server: &Server) -> String {
    server.get("/metrics").await.text
}

fn has(metrics: &str, line: &str) -> bool {
    metrics.lines().any(|found| found == line)
}

/// Waits until one of the lines is this.
async fn until_said(server: &Server, line: &str) {
    until(line, async || has(&metrics(server).await, line).then_some(())).await;
}

#[tokio::test]
async fn refusals_are_counted_by_problem_and_those_within_a_batch_too() {
    let server = Server::start().await;
    let alice = server.client("alice");
    server.stranger().sync(&payload::report()).await;
    alice.sync_text("{").await;
    alice.batch(&[payload::numbered(1), json!({}), json!({})]).await;

    let metrics = metrics(&server).await;

    for line in [
        r#"incident_refusals_total{problem="unauthorized"} 1"#,
        r#"incident_refusals_total{problem="malformed-json"} 1"#,
        r#"incident_refusals_total{problem="validation-failed"} 2"#,
    ] {
        assert!(has(&metrics, line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn the_time_of_answers_is_told_by_route() {
    let server = Server::start().await;
    server.client("alice").sync(&payload::report()).await;
    server.get("/nowhere").await;

    let metrics = metrics(&server).await;

    for line in [
        r#"incident_request_seconds_count{route="/api/incidents/sync"} 1"#,
        r#"incident_request_seconds_bucket{le="+Inf",route="/api/incidents/sync"} 1"#,
        r#"incident_request_seconds_count{route="none"} 1"#,
    ] {
        assert!(has(&metrics, line), "{line} is not in {metrics}");
    }
}

#[tokio::test]
async fn a_stream_is_counted_until_it_ends() {
    let server = Server::start().await;
    let stream = Events::open(&server.responder(), "", None).await;
    assert!(stream.is_ok() && has(&metrics(&server).await, "incident_streams 1"));

    drop(stream);

    // The server learns of it with the next event, or the next comment.
    server.client("alice").sync(&payload::report()).await;
    until_said(&server, "incident_streams 0").await;
}

#[tokio::test]
async fn connections_are_counted_until_they_end() {
    let server = Server::start().await;
    let asks = server.stranger();
    let others: Vec<_> = (0..3).map(|_| Client::new(server.url(), None)).collect();
    for other in &others {
        other.get("/healthz").await;
    }
    let open = async || asks.get("/metrics").await.text;
    assert!(has(&open().await, "incident_connections 4"), "{}", open().await);

    drop(others);

    until("they have ended", async || has(&open().await, "incident_connections 1").then_some(())).await;
}

#[tokio::test]
async fn connections_with_the_database_and_waits_for_them_are_told_by_pool() {
    let server = Server::start().await;
    server.client("alice").sync(&payload::report()).await;
    server.client("alice").get("/api/incidents").await;

    let metrics = metrics(&server).await;

    let figure = |name: &str| {
        let figure = metrics.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        figure.and_then(|figure| figure.parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}: {metrics}"))
    };
    for pool in ["read", "write"] {
        let of = |name: &str| figure(&format!(r#"incident_database_{name}{{pool="{pool}"}}"#));
        assert!(of("connections") <= of("connections_limit") && of("connections_limit") >= 1.0, "{metrics}");
        assert!(of("uses_total") >= 1.0 && of("wait_seconds_total") > 0.0, "{metrics}");
        assert!(of("wait_seconds_total") < 60.0, "{metrics}");
    }
}

#[tokio::test]
async fn the_build_and_the_process_are_told() {
    let server = Server::start().await;

    let metrics = metrics(&server).await;

    let version = env!("CARGO_PKG_VERSION");
    assert!(has(&metrics, &format!(r#"incident_build_info{{version="{version}"}} 1"#)), "{metrics}");
    for name in [
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
        "incident_connections_limit",
    ] {
        let figure = metrics.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let figure: f64 = figure.and_then(|figure| figure.parse().ok()).unwrap_or_else(|| panic!("{name}"));
        assert!(figure > 0.0 || name.contains("cpu"), "{name} is {figure}");
    }
    assert!(has(&metrics, "incident_key_set_age_seconds 0.0"), "{metrics}");
}
