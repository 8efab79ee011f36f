//! A restore that was killed at any moment: the server starts, and the same restore is done again.

use std::{fs, path::PathBuf};

use incident_tests::{Setup, payload};

use crate::start::refused;

/// A database with two reports, of which the backup has one.
async fn with_a_backup() -> (Setup, PathBuf) {
    let setup = Setup::on_sqlite();
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(0)).await.status, 201);
    let backup = setup.data_dir().join("backup");
    assert!(setup.program().args(["backup"]).args([&backup]).output().await.status.success());
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.status, 201);
    server.stop().await;
    (setup, backup)
}

/// What it leaves that was killed right before the backup took its place.
fn cut_off(setup: &Setup) -> PathBuf {
    let kept = setup.data_dir().join("incidents.sqlite.before-2026-11-22T101530.120Z");
    fs::hard_link(setup.data_dir().join("incidents.sqlite"), &kept).unwrap();
    kept
}

#[tokio::test]
async fn after_a_restore_that_was_cut_off_the_server_starts_on_what_was_there() {
    let (setup, _backup) = with_a_backup().await;
    let second_name = cut_off(&setup);

    let server = setup.start().await;

    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.said(), (200, "unchanged".into()));
    server.logs("a restore was cut off, and the database is as it was").await;
    assert!(!second_name.exists());
}

#[tokio::test]
async fn a_restore_that_was_cut_off_is_done_again() {
    let (setup, backup) = with_a_backup().await;
    cut_off(&setup);

    let restored = setup.program().args(["restore"]).args([&backup]).output().await;

    assert!(restored.status.success(), "{restored:?}");
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::numbered(1)).await.said(), (201, "created".into()));
}

#[tokio::test]
async fn another_name_is_refused_and_the_one_to_leave_is_said() {
    let (setup, _backup) = with_a_backup().await;
    let database = setup.data_dir().join("incidents.sqlite");
    let others = ["other.sqlite", "before-incidents.sqlite"].map(|name| setup.data_dir().join(name));
    for other in &others {
        fs::hard_link(&database, other).unwrap();
        cut_off(&setup);

        refused(&setup.program().output().await, "remove those, leave it this one");

        fs::remove_file(other).unwrap();
        setup.clone().start().await.stop().await;
    }
}
