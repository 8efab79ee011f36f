//! Health and metrics at an address of their own, and how an end is announced there.

use incident_tests::{Client, Server, Setup, until};

/// A server with `--operations-listen`, and somebody who asks there.
async fn with_operations() -> (Server, Client) {
    let setup = Setup::new().flag("--operations-listen", "127.0.0.1:0").flag("--shutdown-delay", "20s");
    let mut server = setup.start().await;
    let url = until("it listens there, too", async || {
        let out = server.run().out();
        Some(out.lines().find_map(|line| line.strip_prefix("health and metrics on "))?.to_owned())
    })
    .await;
    let operator = Client::new(&url, None);
    (server, operator)
}

#[tokio::test]
async fn health_and_metrics_are_served_there_and_only_there() {
    let (server, operator) = with_operations().await;

    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(operator.get(path).await.status, 200, "{path}");
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
    for path in ["/docs/", "/", "/api/incidents"] {
        assert_eq!(operator.get(path).await.status, 404, "{path}");
        assert_ne!(server.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn a_server_that_stops_says_so_before_it_takes_no_more_connections() {
    let (mut server, operator) = with_operations().await;

    server.run().terminate().await;
    until("it is not ready", async || (operator.get("/readyz").await.status == 503).then_some(())).await;

    assert_eq!(server.get("/api/incidents").await.status, 401, "it still answers");
    assert_eq!(operator.get("/healthz").await.status, 200);
}
