//! What SQLite keeps beside a database under the database's name: its log, its index, a journal.

use std::{fs, path::Path, process::Output};

use incident_tests::{Setup, payload};

use crate::start::refused;

async fn run(setup: &Setup, command: &str, file: &Path) -> Output {
    setup.program().args([command]).args([file]).output().await
}

/// The database of a killed server with two reports, the second of which its log alone has.
async fn killed(setup: &Setup) {
    let mut server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(0)).await.status, 201);
    let backup = setup.data_dir().join("backup");
    assert!(run(setup, "backup", &backup).await.status.success());
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.status, 201);
    server.run().kill().await;
}

#[tokio::test]
async fn a_log_that_lost_its_database_is_not_put_on_a_restored_one() {
    let setup = Setup::on_sqlite();
    killed(&setup).await;
    let log = fs::read(setup.data_dir().join("incidents.sqlite-wal")).unwrap();
    fs::remove_file(setup.data_dir().join("incidents.sqlite")).unwrap();

    let restored = run(&setup, "restore", &setup.data_dir().join("backup")).await;

    let said = String::from_utf8(restored.stdout.clone()).unwrap();
    let kept = said
        .lines()
        .find_map(|line| line.split_once("is kept as "))
        .unwrap_or_else(|| panic!("{restored:?}"));
    assert!(fs::read(kept.1).unwrap() == log, "{said}");
    let client = setup.start().await.client("alice").sync(&payload::numbered(1)).await;
    assert_eq!(client.said().1, "created");
}

#[tokio::test]
async fn a_log_that_lost_its_database_stops_the_start_and_stays() {
    let setup = Setup::on_sqlite();
    killed(&setup).await;
    let [file, away, log] =
        ["incidents.sqlite", "away", "incidents.sqlite-wal"].map(|name| setup.data_dir().join(name));
    let before = fs::read(&log).unwrap();
    fs::rename(&file, &away).unwrap();

    let without = "incidents.sqlite-wal is there without its database";
    refused(&setup.program().output().await, without);
    fs::write(&file, "").unwrap();
    refused(&setup.program().output().await, without);
    for command in [vec!["backup", "/nonexistent/x"], vec!["export", "-"], vec!["compact"]] {
        refused(&setup.program().args(command).output().await, without);
    }
    let checked = setup.program().args(["check"]).output().await;

    assert!(String::from_utf8_lossy(&checked.stdout).contains(without), "{checked:?}");
    assert!(fs::read(&log).unwrap() == before, "the log was touched");
    fs::rename(&away, &file).unwrap();
    let again = setup.start().await.client("alice").sync(&payload::numbered(1)).await;
    assert_eq!(again.said().1, "unchanged");
}

/// SQLite takes such a file for a part of the database, and deletes it.
#[tokio::test]
async fn nothing_is_written_to_a_name_that_belongs_to_a_database() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;
    assert!(run(&setup, "backup", &setup.data_dir().join("first")).await.status.success());

    for suffix in ["-journal", "-wal", "-shm"] {
        let file = setup.data_dir().join(format!("first{suffix}"));
        for command in ["backup", "export"] {
            refused(&run(&setup, command, &file).await, "is a name that belongs to the database");
            assert!(!file.exists(), "{command} {suffix}");
        }
    }

    let elsewhere = setup.data_dir().join("second-wal");
    assert!(run(&setup, "backup", &elsewhere).await.status.success());
}

/// As for `export`, a script would take it for the standard output.
#[tokio::test]
async fn no_backup_is_written_to_a_file_named_like_the_output() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;

    refused(&run(&setup, "backup", Path::new("-")).await, "a backup cannot go to the standard output");
}

/// It would be put on the copy by whoever opens it.
#[tokio::test]
async fn no_backup_is_made_beside_the_log_of_another() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;
    let file = setup.data_dir().join("backup");

    for suffix in ["-journal", "-wal"] {
        let left = setup.data_dir().join(format!("backup{suffix}"));
        fs::write(&left, "left by another").unwrap();
        refused(&run(&setup, "backup", &file).await, &format!("backup{suffix} is there"));
        assert!(!file.exists());
        fs::remove_file(&left).unwrap();
    }
}
