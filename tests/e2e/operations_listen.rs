//! Health and metrics at an address of their own, and how an end is announced there.

use incident_tests::{Client, Program, Server, Setup, until};

use crate::start::refused;

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
        let nowhere = operator.get(path).await;
        assert_eq!(nowhere.status, 404, "{path}");
        let detail = nowhere.body["detail"].as_str().unwrap();
        assert!(detail.contains("/healthz") && !detail.contains("/docs"), "{detail}");
        assert_ne!(server.get(path).await.status, 404, "{path}");
    }
    let refused = operator.delete("/healthz").await;
    assert!(refused.status == 405 && !refused.text.contains("/docs"), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_stops_says_so_before_it_takes_no_more_connections() {
    let (mut server, operator) = with_operations().await;

    server.run().terminate().await;
    until("it is not ready", async || (operator.get("/readyz").await.status == 503).then_some(())).await;

    assert_eq!(server.get("/api/incidents").await.status, 401, "it still answers");
    assert_eq!(operator.get("/healthz").await.status, 200);
}

/// Who is told to stop another process looks for one that is not there.
#[tokio::test]
async fn one_address_for_both_is_told_by_the_start_and_by_the_check() {
    for (listen, operations) in [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (listen, operations) = (format!("{listen}:{port}"), format!("{operations}:{port}"));
        let setup = Setup::new();
        let data_dir = setup.data_dir().to_str().unwrap();
        let flags = ["--listen", &listen, "--operations-listen", &operations, "--data-dir", data_dir];
        let program = || Program::new().database(setup.database()).args(flags);
        let because = format!("{operations} is taken by --listen");

        refused(&program().output().await, &because);
        let checked = program().args(["check"]).output().await;

        assert!(String::from_utf8_lossy(&checked.stdout).contains(&because), "{checked:?}");
        assert!(!checked.status.success(), "{checked:?}");
    }
}
