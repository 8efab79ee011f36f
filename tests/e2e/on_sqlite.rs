//! What only a file can show: whose it is, that it is no database, that somebody else has locked it.

use incident_tests::{Setup, payload, until};

use crate::start::{mode, refused};

#[tokio::test]
async fn the_file_is_readable_by_its_owner_only() {
    let server = Setup::on_sqlite().start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);

    for file in ["incidents.sqlite", "incidents.sqlite-wal"] {
        assert_eq!(mode(&server.data_dir().join(file)), 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let setup = Setup::on_sqlite();
    let letter = "this is a letter, not a database".repeat(100);
    std::fs::write(setup.data_dir().join("incidents.sqlite"), letter).unwrap();

    refused(&setup.program().output().await, "the database cannot be used");
}

#[tokio::test]
async fn a_locked_file_is_not_ready_until_it_is_free() {
    let server = Setup::on_sqlite().start().await;
    let mut lock = server.database().stop_writers().await;

    let not_ready = server.get("/readyz").await;
    lock.run("ROLLBACK").await;

    assert_eq!(not_ready.said(), (503, "overloaded".into()));
    until("ready again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}
