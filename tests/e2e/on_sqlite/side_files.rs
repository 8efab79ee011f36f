//! What SQLite keeps beside a database under the database's name: its log, its index, a journal.

use std::{fs, path::Path, process::Output};

use incident_tests::Setup;

use crate::start::refused;

async fn run(setup: &Setup, command: &str, file: &Path) -> Output {
    setup.program().args([command]).args([file]).output().await
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
