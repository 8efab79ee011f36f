//! What only a file can show: whose it is, that it is no database, that somebody else has locked it.

mod backup;
mod restore_cut_off;
mod side_files;
mod temporary_files;

use incident_tests::{Server, Setup, payload, until};
use tokio::task::JoinSet;

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
    until("the log says why", async || {
        let log = server.log();
        (log.contains("disk I/O error") || log.contains("disk is full")).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_file_that_is_no_database_is_told() {
    let setup = Setup::on_sqlite();
    let letter = "this is a letter, not a database".repeat(100);
    std::fs::write(setup.data_dir().join("incidents.sqlite"), letter).unwrap();

    refused(&setup.program().output().await, "is not a database");
}

/// SQLite takes a file that is shorter than its header for an empty one.
#[tokio::test]
async fn a_short_file_that_is_no_database_is_told_and_stays_as_it_is() {
    let setup = Setup::on_sqlite();
    let [file, log] = ["incidents.sqlite", "incidents.sqlite-wal"].map(|name| setup.data_dir().join(name));
    for (letter, beside) in [("x", None), ("x", Some("a log")), ("fourteen bytes", None)] {
        std::fs::write(&file, letter).unwrap();
        if let Some(beside) = beside {
            std::fs::write(&log, beside).unwrap();
        }

        for command in [&[][..], &["backup", "/nonexistent/x"], &["export", "-"], &["compact"]] {
            refused(&setup.program().args(command).output().await, "is not a database");
        }
        let checked = setup.program().args(["check"]).output().await;

        assert!(String::from_utf8_lossy(&checked.stdout).contains("is not a database"), "{checked:?}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), letter);
        assert_eq!(std::fs::read_to_string(&log).ok().as_deref(), beside);
        let _ = std::fs::remove_file(&log);
    }
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

#[tokio::test]
async fn a_second_server_on_one_file_is_refused_until_the_first_has_ended() {
    let setup = Setup::on_sqlite();
    let first = setup.clone().start().await;

    refused(&setup.program().output().await, "another incident-server runs on the database");

    let first = first.kill_and_restart().await;
    assert_eq!(first.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn of_sixty_first_starts_at_once_one_serves_and_the_others_are_told_why() {
    let setup = Setup::on_sqlite();
    let mut runs: Vec<_> = (0..60).map(|_| setup.program().start()).collect();
    let mut serving = Vec::new();
    for run in &mut runs {
        until("it serves or ends", async || {
            (run.out().contains("listens on") || run.ended().is_some()).then_some(())
        })
        .await;
        serving.push(run.out().contains("listens on"));
    }

    assert_eq!(serving.iter().filter(|serves| **serves).count(), 1);
    let mut ending = JoinSet::new();
    for (mut run, _) in runs.into_iter().zip(serving).filter(|(_, serves)| !serves) {
        ending.spawn(async move {
            run.end().await;
            run.log()
        });
    }
    for log in ending.join_all().await {
        assert!(log.contains("another incident-server runs on the database"), "{log}");
    }
}

/// Everything that has an answer of its own is 503, and the log says what to do.
async fn is_out_of_service(server: &Server, because: &str) {
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(2)).await.said(), (503, "overloaded".into()));
    let read = alice.get("/api/incidents").await;
    assert_eq!(read.said(), (503, "overloaded".into()));
    assert!(!read.text.contains("took effect"), "{read:?}");
    until("not ready", async || (server.get("/readyz").await.status == 503).then_some(())).await;
    server.logs(because).await;
}

#[tokio::test]
async fn a_file_that_was_moved_away_takes_no_report_until_it_is_back() {
    let server = Setup::on_sqlite().start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(1)).await.status, 201);
    let (file, away) = (server.data_dir().join("incidents.sqlite"), server.data_dir().join("moved"));

    std::fs::rename(&file, &away).unwrap();
    is_out_of_service(&server, "nothing is answered until it is back in its place").await;
    std::fs::rename(&away, &file).unwrap();

    until("ready again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
    until("it commits again", async || (alice.sync(&payload::numbered(2)).await.status == 201).then_some(()))
        .await;
    let server = server.kill_and_restart().await;
    for number in [1, 2] {
        assert_eq!(
            server.client("alice").sync(&payload::numbered(number)).await.said(),
            (200, "unchanged".into())
        );
    }
}

#[tokio::test]
async fn a_file_that_was_replaced_is_noticed_and_served_after_a_restart() {
    let server = Setup::on_sqlite().start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(1)).await.status, 201);
    server.database().session().await.run("PRAGMA wal_checkpoint(TRUNCATE)").await;
    let (file, copy) = (server.data_dir().join("incidents.sqlite"), server.data_dir().join("copy"));

    std::fs::copy(&file, &copy).unwrap();
    std::fs::rename(&copy, &file).unwrap();
    is_out_of_service(&server, "to serve the file that is there now, restart the server").await;

    let server = server.kill_and_restart().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.said(), (200, "unchanged".into()));
}

/// Overwrites everything behind the first page.
fn overwrite(server_data: &std::path::Path) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(server_data.join("incidents.sqlite")).unwrap();
    let behind_the_first_page = usize::try_from(file.metadata().unwrap().len()).unwrap() - 4096;
    file.write_all_at(&vec![0xa5; behind_the_first_page], 4096).unwrap();
}

#[tokio::test]
async fn a_file_that_is_overwritten_under_the_server_makes_it_not_ready() {
    let server = Setup::on_sqlite().start().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.status, 201);
    server.database().session().await.run("PRAGMA wal_checkpoint(TRUNCATE)").await;

    overwrite(&server.data_dir());

    assert_eq!(server.responder().get("/api/incidents").await.said(), (503, "overloaded".into()));
    is_out_of_service(&server, "the database file is corrupt").await;
}

#[tokio::test]
async fn a_corrupt_file_stops_the_start_and_a_backup_is_asked_for() {
    let setup = Setup::on_sqlite();
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.status, 201);
    server.stop().await;

    overwrite(setup.data_dir());

    refused(&setup.program().output().await, "is corrupt; restore a backup");
}
