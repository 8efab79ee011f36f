//! What is wrong is said before a start, and nothing is made or changed by looking.

use std::{fs, path::Path, process::Output};

use incident_tests::{Program, Setup, payload, until};

use crate::start::refused;

async fn check(setup: &Setup) -> Output {
    setup.program().args(["check"]).output().await
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// It would not start, and `check` says why in the words of the start.
async fn says_what_the_start_says(setup: &Setup, because: &str) {
    let checked = check(setup).await;
    let line = said(&checked).lines().find(|line| line.starts_with("error    ")).map(str::to_owned);
    assert!(line.is_some_and(|line| line.contains(because)), "{because}: {checked:?}");
    assert_eq!(checked.status.code(), Some(1), "{because}");
    refused(&setup.program().output().await, because);
}

fn names(directory: &Path) -> Vec<String> {
    let names = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

#[tokio::test]
async fn an_empty_directory_is_fit_for_a_start_and_stays_empty() {
    let setup = Setup::on_sqlite();

    let checked = check(&setup).await;

    assert!(checked.status.success(), "{checked:?}");
    for expected in
        ["id.secret is made at the first start", "empty, the first start makes the tables", "the clock says"]
    {
        assert!(said(&checked).contains(expected), "{expected}: {checked:?}");
    }
    assert_eq!(names(setup.data_dir()), Vec::<String>::new());
}

#[tokio::test]
async fn what_was_used_before_is_fit_for_a_start_and_stays_as_it_is() {
    let setup = Setup::new();
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    server.stop().await;
    let before = names(setup.data_dir());

    let checked = check(&setup).await;

    assert!(checked.status.success(), "{checked:?}");
    assert!(said(&checked).contains("the tables are those of this version"), "{checked:?}");
    assert!(said(&checked).contains("id.secret is that of the database"), "{checked:?}");
    assert_eq!(names(setup.data_dir()), before);
}

#[tokio::test]
async fn a_check_that_nobody_could_read_has_not_passed() {
    let setup = Setup::on_sqlite();
    let command = format!("'{}' check >/dev/full", Program::file().display());

    let program = Program::in_shell(&command).env("INCIDENT_DATA_DIR", setup.data_dir().to_str().unwrap());
    let checked = program.output().await;

    refused(&checked, "cannot write to the standard output");
    assert_eq!(checked.status.code(), Some(1));
}

#[tokio::test]
async fn beside_a_running_server_that_is_said_and_harms_nobody() {
    let setup = Setup::on_sqlite();
    let server = setup.clone().start().await;

    let checked = check(&setup).await;

    assert!(checked.status.success(), "{checked:?}");
    assert!(said(&checked).contains("warning  a server runs on"), "{checked:?}");
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn a_secret_that_is_not_the_right_one_is_found_before_the_start() {
    let setup = Setup::new();
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    server.stop().await;
    let own = setup.data_dir().join("id.secret");
    fs::write(&own, "another secret of more than 32 bytes").unwrap();
    says_what_the_start_says(&setup, "is not the one under which the incidents").await;
    fs::write(&own, "short").unwrap();
    says_what_the_start_says(&setup, "has 5 bytes, it needs at least 32").await;
    fs::remove_file(&own).unwrap();
    let missing = if setup.database().url().is_some() { "there is no id secret" } else { "is missing in" };
    says_what_the_start_says(&setup, missing).await;
}

#[tokio::test]
async fn a_url_with_which_nothing_could_be_kept_is_found_before_the_start() {
    let in_memory = "a database in memory would lose every report";
    for (url, because) in [
        ("sqlite://", in_memory),
        ("sqlite::memory:", in_memory),
        ("sqlite://x.sqlite?mode=memory", in_memory),
        ("sqlite://x.sqlite?mode=ro", "says mode=ro, with which no report could be kept"),
        ("sqlite://x.sqlite?mode=rwc&immutable=1", "says immutable=1, with"),
        ("sqlite://x.sqlite?vfs=memdb", "says vfs=memdb, with"),
        ("sqlite://x.sqlite?cache=shared", "says cache=shared, with"),
    ] {
        let setup = Setup::on_sqlite();
        let url = url.replace("x.sqlite", setup.data_dir().join("x.sqlite").to_str().unwrap());

        says_what_the_start_says(&setup.clone().flag("--database-url", &url), because).await;

        assert_eq!(names(setup.data_dir()), Vec::<String>::new(), "{url}");
    }
}

#[tokio::test]
async fn a_missing_secret_is_told_although_the_database_is_away() {
    let setup = Setup::on_sqlite().flag("--database-url", "postgres://nobody@127.0.0.1:1/incidents");

    let checked = check(&setup).await;

    let errors = said(&checked).lines().filter(|line| line.starts_with("error    ")).count();
    assert_eq!(errors, 2, "{checked:?}");
    assert!(said(&checked).contains("there is no id secret in"), "{checked:?}");
}

#[tokio::test]
async fn keys_that_let_nobody_in_are_found_before_the_start() {
    let setup = Setup::new();
    let file = setup.data_dir().join("keys.json");
    let setup = setup.flag("--auth-jwks", file.to_str().unwrap());
    says_what_the_start_says(&setup, "cannot read the JWK set").await;
    fs::write(&file, r#"{"keys":[]}"#).unwrap();
    says_what_the_start_says(&setup, "no key that can be used here").await;
}

#[tokio::test]
async fn a_newer_database_and_a_file_that_is_none_are_found_before_the_start() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'from the future', true, x'00', 0)";
    setup.database().session().await.run(newer).await;
    says_what_the_start_says(&setup, "schema version 9999").await;
    let file = setup.data_dir().join("incidents.sqlite");
    fs::write(&file, "this is a letter, not a database".repeat(1000)).unwrap();
    says_what_the_start_says(&setup, "is not a database").await;
}

#[tokio::test]
async fn a_database_in_a_directory_that_is_not_there_is_found_before_the_start() {
    let setup = Setup::on_sqlite();
    let url = format!("sqlite://{}", setup.data_dir().join("missing/incidents.sqlite").display());

    says_what_the_start_says(&setup.flag("--database-url", url), "cannot open the database").await;
}

#[tokio::test]
async fn few_files_and_open_secrets_are_doubts_and_no_errors() {
    use std::os::unix::fs::PermissionsExt;
    let setup = Setup::on_sqlite().files(512);
    let secret = setup.data_dir().join("hs256.secret");
    fs::write(&secret, "a secret of no less than 32 bytes").unwrap();
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).unwrap();

    let checked = check(&setup).await;

    assert!(checked.status.success(), "{checked:?}");
    assert!(said(&checked).contains("warning  the limit of open files leaves room for 352"), "{checked:?}");
    assert!(said(&checked).contains("warning  others than its owner can read"), "{checked:?}");
    assert!(said(&checked).contains("2 warnings"), "{checked:?}");
}

#[tokio::test]
async fn a_database_with_another_name_is_found_before_the_start() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;
    let file = setup.data_dir().join("incidents.sqlite");
    fs::hard_link(&file, setup.data_dir().join("other.sqlite")).unwrap();

    says_what_the_start_says(&setup, "has other names (hard links").await;
}

/// The file has a hole, which needs no room on the disk.
#[tokio::test]
async fn an_older_database_that_is_larger_than_the_room_beside_it_is_a_doubt() {
    let setup = Setup::on_sqlite();
    setup.clone().start().await.stop().await;
    let older = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    setup.database().session().await.run(older).await;
    let log = setup.data_dir().join("incidents.sqlite-wal");
    until("it is closed", async || (!log.exists()).then_some(())).await;
    let file = fs::OpenOptions::new().write(true).open(setup.data_dir().join("incidents.sqlite")).unwrap();
    file.set_len(8 << 40).unwrap();

    let checked = check(&setup).await;

    assert!(said(&checked).contains("to bring the tables up to date may take 8388608 MiB"), "{checked:?}");
}

#[tokio::test]
async fn few_files_are_a_doubt_at_the_start_too() {
    let server = Setup::on_sqlite().files(100).start().await;

    server.logs("the limit of open files leaves room for 1 connections of 4096").await;
}
