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
async fn a_file_named_by_a_url_is_readable_by_its_owner_only() {
    let setup = Setup::on_sqlite();
    let file = setup.data_dir().parent().unwrap().join(format!("incidents-{}.sqlite", std::process::id()));
    let server = setup.flag("--database-url", format!("sqlite://{}", file.display())).start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);

    let modes = ["", "-wal"].map(|suffix| mode(format!("{}{suffix}", file.display()).as_ref()));
    server.stop().await;
    std::fs::remove_file(file).unwrap();
    assert_eq!(modes, [0o600, 0o600]);
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let program = Setup::on_sqlite().program().args(["--database-url", "sqlite:///nonexistent/x.sqlite"]);
    refused(&program.output().await, "\"/nonexistent/x.sqlite\": No such file or directory");
}

#[tokio::test]
async fn a_disk_without_room_is_not_ready_until_there_is_some_and_the_log_says_why() {
    let mut server = Setup::on_sqlite().start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(1)).await.status, 201);

    server.run().limit_files("0").await;
    until("not ready", async || (server.get("/readyz").await.status == 503).then_some(())).await;
    assert_eq!(alice.sync(&payload::numbered(2)).await.said(), (503, "overloaded".into()));
    server.run().limit_files("unlimited").await;

    until("ready again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(alice.sync(&payload::numbered(2)).await.status, 201);
    let log = server.log();
    assert!(log.contains("disk I/O error") || log.contains("disk is full"), "{log}");
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
