//! What only a database server can show: it may be away, from the start or for a while, and serve several.

use incident_tests::{Database, Setup, payload, until};

use crate::start::refused;

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_told_without_the_password() {
    let setup = Setup::on_postgres();
    let nobody_listens = "postgres://alice:xyzzy-plugh@127.0.0.1:1/incidents";

    let output = setup.program().args(["--database-url", nobody_listens]).output().await;

    refused(&output, "the database cannot be used");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("xyzzy-plugh"));
}

#[tokio::test]
async fn a_database_that_goes_away_is_503_and_serves_again_when_it_is_back() {
    let server = Setup::on_postgres().start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(1)).await.status, 201);
    let elsewhere = Database::postgres();
    let mut session = elsewhere.session().await;
    let url = server.database().url().unwrap();
    let name = url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap();

    session.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    session
        .run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        .await;
    let (written, read, ready) = tokio::join!(
        async { alice.sync(&payload::numbered(2)).await },
        alice.get("/api/incidents"),
        server.get("/readyz")
    );
    session.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;

    for refused in [written, read, ready] {
        assert_eq!(refused.said(), (503, "overloaded".into()));
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    until("ready again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(alice.sync(&payload::numbered(1)).await.said(), (200, "unchanged".into()));
    assert_eq!(alice.sync(&payload::numbered(2)).await.said(), (201, "created".into()));
}

/// The settings of docs/high-availability.md, and otherwise a log that holds all it can.
const LOG_SETTINGS: [&str; 6] = [
    "log_parameter_max_length = 0",
    "log_parameter_max_length_on_error = 0",
    "log_error_verbosity = terse",
    "log_statement = 'all'",
    "log_min_duration_statement = 0",
    "log_min_messages = debug1",
];

#[tokio::test]
async fn with_the_documents_settings_the_databases_own_log_holds_no_name_or_text() {
    let (name, text) = ("ford.prefect@example.org", "a text that is in no log");
    let setup = Setup::on_postgres();
    let mut session = setup.database().session().await;
    let database = session.text("SELECT current_database()::text").await;
    for setting in LOG_SETTINGS {
        session.run(format!("ALTER DATABASE {database} SET {setting}")).await;
    }
    let server = setup.start().await;
    let somebody = server.client(name);
    for report in [payload::numbered(1), payload::anonymous(payload::numbered(2))] {
        let report = payload::with(report, "roomNumber", text);
        assert_eq!(somebody.sync(&report).await.status, 201);
        assert_eq!(somebody.sync(&payload::cancelled(report, text)).await.status, 200);
    }
    assert_eq!(somebody.get("/api/incidents").await.body["incidents"][0]["roomNumber"], text);
    // A database that refuses a row says which one.
    session.run("ALTER TABLE history ADD CONSTRAINT refuses CHECK (at_ms < 0) NOT VALID").await;
    let refused = payload::with(payload::numbered(3), "roomNumber", text);
    assert!(somebody.sync(&refused).await.status >= 500);

    let log = session.text("SELECT pg_read_file(current_setting('data_directory') || '/../log')").await;

    assert!(
        log.contains("INSERT INTO incidents") && log.contains("refuses"),
        "statements and errors are logged"
    );
    assert!(!log.contains(name) && !log.contains(text));
}

#[tokio::test]
async fn two_servers_on_one_database_know_the_same_incidents() {
    let setup = Setup::on_postgres();
    let (one, other) = (setup.clone().start().await, setup.start().await);

    let created = one.client("alice").sync(&payload::report()).await;
    let repeated = other.client("alice").sync(&payload::report()).await;

    assert_eq!((created.said(), repeated.said()), ((201, "created".into()), (200, "unchanged".into())));
    assert_eq!(created.id(), repeated.id());
    assert_eq!(other.client("alice").get(&created.header("location")).await.status, 200);
}
