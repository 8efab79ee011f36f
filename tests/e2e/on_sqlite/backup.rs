//! A backup beside a running server, and what is there after it was put back.

use std::{fs, path::Path};

use incident_tests::{Events, Server, Setup, payload};

use crate::start::{mode, refused};

const CHANGES: &str = "/api/incidents/changes";

/// A server with so many reports of alice.
async fn server_with(setup: &Setup, reports: usize) -> Server {
    let server = setup.clone().start().await;
    for number in 0..reports {
        assert_eq!(server.client("alice").sync(&payload::numbered(number)).await.status, 201);
    }
    server
}

async fn run(setup: &Setup, command: &str, file: &Path) -> std::process::Output {
    setup.program().args([command]).args([file]).output().await
}

async fn succeeds(setup: &Setup, command: &str, file: &Path) -> String {
    let output = run(setup, command, file).await;
    assert!(output.status.success(), "{command}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

async fn outcome(server: &Server, number: usize) -> String {
    server.client("alice").sync(&payload::numbered(number)).await.said().1
}

#[tokio::test]
async fn a_backup_is_whole_and_readable_by_its_owner_only() {
    let (setup, elsewhere) = (Setup::on_sqlite(), Setup::on_sqlite());
    let server = server_with(&setup, 3).await;
    let file = elsewhere.data_dir().join("incidents.sqlite");

    let said = succeeds(&setup, "backup", &file).await;

    assert!(said.contains("a whole copy of") && said.contains(" KiB, checked"), "{said}");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(fs::read_dir(elsewhere.data_dir()).unwrap().count(), 1, "nothing else is left");
    let mut copy = elsewhere.database().session().await;
    assert_eq!(copy.count("SELECT count(*) FROM incidents").await, 3);
    assert_eq!(outcome(&server, 3).await, "created");
}

#[tokio::test]
async fn a_backup_is_taken_where_no_server_runs_too() {
    let setup = Setup::on_sqlite();
    let server = server_with(&setup, 1).await;
    server.stop().await;
    let file = setup.data_dir().join("backup");

    succeeds(&setup, "backup", &file).await;

    assert_eq!(outcome(&setup.clone().start().await, 0).await, "unchanged");
    assert!(!setup.data_dir().join("backup-wal").exists());
}

/// What SQLite writes into the database when its last connection closes would have to be synced before the log goes.
#[tokio::test]
async fn a_backup_leaves_what_a_killed_server_left_as_it_is() {
    let setup = Setup::on_sqlite();
    let mut server = server_with(&setup, 3).await;
    server.run().kill().await;
    let left = || {
        ["incidents.sqlite", "incidents.sqlite-wal"].map(|name| fs::read(setup.data_dir().join(name)).ok())
    };
    let before = left();

    succeeds(&setup, "backup", &setup.data_dir().join("backup")).await;

    assert!(left() == before, "the database or its log was written");
    assert_eq!(outcome(&setup.clone().start().await, 2).await, "unchanged");
}

#[tokio::test]
async fn a_backup_overwrites_nothing_and_says_what_is_missing() {
    let setup = Setup::on_sqlite();
    let file = setup.data_dir().join("letter");
    fs::write(&file, "a letter").unwrap();
    refused(&run(&setup, "backup", &setup.data_dir().join("new")).await, "there is no file");
    let _server = server_with(&setup, 1).await;

    refused(&run(&setup, "backup", &file).await, "letter is there already, and nothing is overwritten");
    refused(&run(&setup, "backup", Path::new("/nonexistent/x")).await, "No such file or directory");

    assert_eq!(fs::read_to_string(&file).unwrap(), "a letter");
}

#[tokio::test]
async fn a_corrupt_database_gives_no_backup() {
    let setup = Setup::on_sqlite();
    server_with(&setup, 50).await.stop().await;
    let file = setup.data_dir().join("backup");
    super::overwrite(setup.data_dir());

    refused(&run(&setup, "backup", &file).await, "cannot be copied");

    let names = fs::read_dir(setup.data_dir()).unwrap().map(|file| file.unwrap().file_name());
    let is_left = |name: &std::ffi::OsStr| name == "backup" || name.to_string_lossy().contains(".part");
    assert!(names.into_iter().all(|name| !is_left(&name)));
}

#[tokio::test]
async fn after_a_restore_what_came_later_is_gone_and_cursors_from_before_say_so() {
    let setup = Setup::on_sqlite();
    let server = server_with(&setup, 2).await;
    let file = setup.data_dir().join("backup");
    succeeds(&setup, "backup", &file).await;
    assert_eq!(outcome(&server, 2).await, "created");
    let page = server.responder().get(&format!("{CHANGES}?limit=1")).await;
    let cursor = page.body["nextCursor"].as_str().unwrap().to_owned();
    server.stop().await;

    succeeds(&setup, "restore", &file).await;

    let server = setup.clone().start().await;
    let (responder, query) = (server.responder(), format!("?after={cursor}"));
    let in_page = responder.get(&format!("{CHANGES}{query}")).await;
    let in_stream = Events::open(&responder, &query, None).await.err().unwrap();
    let in_header = Events::open(&responder, "", Some(&cursor)).await.err().unwrap();
    for gone in [in_page, in_stream, in_header] {
        assert_eq!(gone.said(), (410, "cursor-gone".into()));
    }
    assert_eq!(
        (outcome(&server, 1).await, outcome(&server, 2).await),
        ("unchanged".into(), "created".into())
    );
}

/// Then it is of the same series; but what the copy has not seen was never given out by it.
#[tokio::test]
async fn after_a_file_was_copied_back_by_hand_the_cursors_of_what_it_lacks_are_gone() {
    let setup = Setup::on_sqlite();
    server_with(&setup, 1).await.stop().await;
    let file = setup.data_dir().join("incidents.sqlite");
    let copy = setup.data_dir().join("copy");
    fs::copy(&file, &copy).unwrap();
    let server = setup.clone().start().await;
    assert_eq!(outcome(&server, 1).await, "created");
    let newest = server.responder().get(CHANGES).await.body["nextCursor"].as_str().unwrap().to_owned();
    server.stop().await;

    fs::rename(&copy, &file).unwrap();

    let server = setup.clone().start().await;
    let gone = server.responder().get(&format!("{CHANGES}?after={newest}")).await;
    assert_eq!(gone.said(), (410, "cursor-gone".into()));
}

#[tokio::test]
async fn the_database_from_before_is_kept_with_what_only_its_log_had() {
    let setup = Setup::on_sqlite();
    let mut server = server_with(&setup, 1).await;
    let file = setup.data_dir().join("backup");
    succeeds(&setup, "backup", &file).await;
    assert_eq!(outcome(&server, 1).await, "created");
    server.run().kill().await; // so the log stays

    let said = succeeds(&setup, "restore", &file).await;

    let kept = said.lines().find_map(|line| line.split_once("is kept as ")).unwrap().1;
    let elsewhere = Setup::on_sqlite();
    for suffix in ["", "-wal"] {
        let to = elsewhere.data_dir().join(format!("incidents.sqlite{suffix}"));
        fs::rename(format!("{kept}{suffix}"), to).unwrap();
    }
    let mut before = elsewhere.database().session().await;
    assert_eq!(before.count("SELECT count(*) FROM incidents").await, 2);
    assert_eq!(outcome(&setup.start().await, 1).await, "created");
}

#[tokio::test]
async fn nothing_is_restored_under_a_running_server() {
    let setup = Setup::on_sqlite();
    let server = server_with(&setup, 1).await;
    let file = setup.data_dir().join("backup");
    succeeds(&setup, "backup", &file).await;

    refused(&run(&setup, "restore", &file).await, "another incident-server runs on the database");

    assert_eq!(outcome(&server, 1).await, "created");
}

#[tokio::test]
async fn what_is_no_backup_is_refused_and_the_database_stays() {
    let setup = Setup::on_sqlite();
    server_with(&setup, 1).await.stop().await;
    let (letter, other) = (setup.data_dir().join("letter"), Setup::on_sqlite());
    fs::write(&letter, "this is a letter, not a database".repeat(100)).unwrap();
    let foreign = other.data_dir().join("incidents.sqlite");
    fs::write(&foreign, "").unwrap();
    other.database().session().await.run("CREATE TABLE recipes (cake TEXT)").await;
    let empty = other.data_dir().join("empty");
    fs::write(&empty, "").unwrap();

    for (file, because) in [
        (setup.data_dir().join("nowhere"), "there is no file"),
        (letter, "is no backup of incident-server"),
        (foreign, "is no backup of incident-server"),
        (empty, "is no backup of incident-server"),
        (setup.data_dir().join("incidents.sqlite"), "is the database itself"),
    ] {
        refused(&run(&setup, "restore", &file).await, because);
    }

    let names = fs::read_dir(setup.data_dir()).unwrap().map(|file| file.unwrap().file_name());
    assert!(names.into_iter().all(|name| !name.to_string_lossy().contains(".part")));
    assert_eq!(outcome(&setup.start().await, 0).await, "unchanged");
}

#[tokio::test]
async fn a_backup_takes_the_place_of_a_corrupt_file_and_of_none() {
    let (setup, elsewhere) = (Setup::on_sqlite(), Setup::on_sqlite());
    server_with(&setup, 1).await.stop().await;
    let file = setup.data_dir().join("backup");
    succeeds(&setup, "backup", &file).await;
    super::overwrite(setup.data_dir());
    fs::copy(setup.data_dir().join("id.secret"), elsewhere.data_dir().join("id.secret")).unwrap();

    for setup in [&setup, &elsewhere] {
        succeeds(setup, "restore", &file).await;
        assert_eq!(mode(&setup.data_dir().join("incidents.sqlite")), 0o600);
        assert_eq!(outcome(&setup.clone().start().await, 0).await, "unchanged");
    }
}

/// As version 0.1 made them.
#[tokio::test]
async fn a_backup_of_an_older_version_gets_its_tables_when_it_is_restored() {
    let (old, setup) = (Setup::on_sqlite(), Setup::on_sqlite());
    server_with(&old, 1).await.stop().await;
    let mut session = old.database().session().await;
    session.run("DROP TABLE installation; DELETE FROM _sqlx_migrations WHERE version > 1").await;
    session.run("DROP TRIGGER listed_state; DROP TRIGGER listed_where; DROP TRIGGER listed_no_more").await;
    session.run("DROP TABLE list_by_reporter; DROP TABLE list_of_open_by_location").await;
    session.run("DROP INDEX incidents_open").await;
    session.run("DROP INDEX incidents_cancelled; DROP INDEX incidents_cancelled_by_location").await;
    session
        .run("CREATE INDEX incidents_by_reporter ON incidents (reporter, id) WHERE reporter IS NOT NULL")
        .await;
    session.run("CREATE INDEX incidents_by_location ON incidents (location_id, id)").await;
    session.run("ALTER TABLE incidents DROP COLUMN erased_at_ms").await;

    succeeds(&setup, "restore", &old.data_dir().join("incidents.sqlite")).await;

    fs::copy(old.data_dir().join("id.secret"), setup.data_dir().join("id.secret")).unwrap();
    let server = setup.start().await;
    assert_eq!(server.responder().get(CHANGES).await.body["changes"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_pipe_is_no_backup() {
    let setup = Setup::on_sqlite();
    let pipe = setup.data_dir().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());

    refused(&run(&setup, "restore", &pipe).await, "pipe is no backup of incident-server");
}

#[tokio::test]
async fn what_is_no_backup_makes_no_directory() {
    let setup = Setup::on_sqlite();
    let directory = setup.data_dir().join("new");
    let restore =
        |file| setup.program().args(["restore", file]).args(["--data-dir"]).args([&directory]).output();

    refused(&restore("/nonexistent/backup").await, "there is no file");
    refused(&restore("/dev/null").await, "is no backup of incident-server");

    assert!(!directory.exists());
}
