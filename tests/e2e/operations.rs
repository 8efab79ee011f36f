//! What operators watch: liveness, readiness, counters, and a name for every request.

use incident_tests::{Server, Setup, payload};
use serde_json::json;

#[tokio::test]
async fn alive_and_ready_need_no_token() {
    let server = Server::start().await;

    let (alive, ready) = (server.get("/healthz").await, server.get("/readyz").await);

    assert_eq!((alive.status, alive.body), (200, json!({ "status": "alive" })));
    assert_eq!((ready.status, ready.body), (200, json!({ "status": "ready" })));
}

#[tokio::test]
async fn a_log_without_room_costs_nobody_an_answer() {
    let server = Setup::new().without_room_for_its_log().start().await;

    assert_eq!(server.stranger().sync(&payload::report()).await.status, 401);
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn every_answer_names_its_request_and_the_log_knows_the_name() {
    let server = Server::start().await;
    let alice = server.client("alice");

    let answers = [
        alice.sync(&payload::report()).await,
        alice.sync_text("{").await,
        alice.get("/nowhere").await,
        alice.get("/api/incidents/sync").await,
        server.get("/docs/").await,
    ];
    let ids: Vec<_> = answers.iter().map(|answer| answer.header("x-request-id")).collect();
    let (_, log) = server.stop().await;

    for id in &ids {
        assert!(!id.is_empty() && ids.iter().filter(|other| *other == id).count() == 1, "{ids:?}");
        let line =
            log.lines().find(|line| line.contains(id)).unwrap_or_else(|| panic!("{id} is not in {log}"));
        let line: serde_json::Value = serde_json::from_str(line).expect("the log is JSON, a line an event");
        assert!(line.to_string().contains("\"status\""), "{line}");
    }
}

#[tokio::test]
async fn counters_tell_routes_statuses_and_outcomes() {
    let server = Server::start().await;
    let alice = server.client("alice");
    alice.sync(&payload::report()).await;
    alice.sync(&payload::report()).await;
    alice.sync(&payload::cancelled(payload::report(), "a")).await;
    alice.batch(&[payload::numbered(1), payload::numbered(2)]).await;
    alice.get("/api/incidents/zaphod").await;

    let metrics = server.get("/metrics").await;

    assert!(metrics.header("content-type").starts_with("application/openmetrics-text"));
    for line in [
        r#"incident_requests_total{route="/api/incidents/sync",status="201"} 1"#,
        r#"incident_requests_total{route="/api/incidents/sync",status="200"} 2"#,
        r#"incident_requests_total{route="/api/incidents/sync/batch",status="200"} 1"#,
        r#"incident_requests_total{route="/api/incidents/{id}",status="404"} 1"#,
        r#"incident_outcomes_total{outcome="created"} 3"#,
        r#"incident_outcomes_total{outcome="unchanged"} 1"#,
        r#"incident_outcomes_total{outcome="cancelled"} 1"#,
        "incident_queue_depth 0",
        "incident_batch_size_sum 5.0",
        "incident_commit_seconds_count 4",
        "# EOF",
    ] {
        assert!(metrics.text.lines().any(|found| found == line), "{line} is not in {}", metrics.text);
    }
    assert!(metrics.text.contains("\nincident_write_ahead_log_bytes "), "{}", metrics.text);
    assert!(!metrics.text.contains("zaphod"));
}

#[tokio::test]
async fn secret_files_that_others_can_read_are_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "x".repeat(32)).unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();

    let server = Setup::new().flag("--id-secret-file", file.path().to_str().unwrap()).start().await;

    server.logs("others than its owner can read this secret file").await;
}
