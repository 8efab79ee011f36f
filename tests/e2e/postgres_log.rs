//! What PostgreSQL writes down for itself, its log and its write-ahead log, leads back to nobody who reported anonymously.

use incident_tests::{
    Setup,
    incident_keys::{derived, sealed},
    payload,
};
use serde_json::json;

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

/// What a subscriber of changes, an archive of the log, or a standby gets.
#[tokio::test]
async fn the_write_ahead_log_and_its_decoding_join_no_anonymous_report_to_a_person() {
    let (name, text) = ("arthur.dent@example.org", "a-place-to-be-found");
    let server = Setup::on_postgres().start().await;
    let mut session = server.database().session().await;
    let slot = session.text("SELECT 'slot_' || pg_backend_pid()").await;
    session.run(format!("SELECT pg_create_logical_replication_slot('{slot}', 'test_decoding')")).await;
    let from = session.text("SELECT pg_current_wal_insert_lsn()::text").await;
    let somebody = server.client(name);
    let hidden = payload::with(payload::anonymous(payload::numbered(1)), "locationId", text);
    let named = payload::numbered(2);
    let keys = [sealed(7, name, &hidden), derived(name, &named)];
    // In one transaction, as beside it.
    assert_eq!(somebody.batch_with_keys(&[hidden.clone(), named], &json!(keys)).await.status, 200);
    assert_eq!(somebody.sync_with_key(&payload::cancelled(hidden.clone(), text), &keys[0]).await.status, 200);
    let told = |query: String| async { server.database().session().await.texts(query).await };

    // The slot is only looked at, because a checkpoint removes files that no slot needs any more.
    let decoded = told(format!("SELECT data FROM pg_logical_slot_peek_changes('{slot}', NULL, NULL)")).await;
    let files = "SELECT encode(pg_read_binary_file('pg_wal/' || name), 'escape') FROM pg_ls_waldir()";
    let (first, last) =
        (format!("pg_walfile_name('{from}')"), "pg_walfile_name(pg_current_wal_insert_lsn())");
    let written = told(format!("{files} WHERE name BETWEEN {first} AND {last} AND length(name) = 24")).await;
    session.run(format!("SELECT pg_drop_replication_slot('{slot}')")).await;

    assert!(decoded.iter().any(|line| line.contains(name)), "that of the named one is decoded: {decoded:?}");
    for line in decoded.iter().filter(|line| line.contains(text)) {
        assert!(line.contains("reporter[text]:null") || !line.contains("reporter[text]"), "{line}");
    }
    let token = server.token(name, None);
    let derived = derived(name, &hidden);
    for secret in [&keys[0][16..], &derived[16..], token.split('.').nth(1).unwrap()] {
        assert!(!decoded.iter().chain(&written).any(|part| part.contains(secret)), "{secret}");
    }
    assert!(written.iter().any(|part| part.contains(name)), "that of the named one is written");
}
