//! The id secret: with another one every repeat would be stored a second time, so no server starts with it.

use incident_tests::{Setup, payload};

use crate::start::refused;

const ANOTHER: &str = "another secret of at least 32 bytes";

async fn reported(setup: &Setup) {
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
    server.stop().await;
}

#[tokio::test]
async fn another_id_secret_stops_the_start_and_its_file_is_named() {
    let setup = Setup::new();
    reported(&setup).await;
    let another = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(another.path(), ANOTHER).unwrap();

    let program = setup.program().args(["--id-secret-file", another.path().to_str().unwrap()]);
    let output = program.output().await;

    refused(&output, "is not the one under which the incidents of this database were named");
    assert!(String::from_utf8_lossy(&output.stderr).contains(another.path().to_str().unwrap()));
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.said(), (200, "unchanged".into()));
}

#[tokio::test]
async fn a_lost_id_secret_is_not_made_anew_beside_incidents() {
    let setup = Setup::new();
    reported(&setup).await;
    let secret = setup.data_dir().join("id.secret");
    let kept = std::fs::read(&secret).unwrap();
    std::fs::remove_file(&secret).unwrap();

    let output = setup.program().output().await;

    refused(&output, "id.secret");
    assert!(!secret.exists());
    std::fs::write(&secret, kept).unwrap();
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.said(), (200, "unchanged".into()));
}

#[tokio::test]
async fn the_first_start_after_an_upgrade_remembers_the_secret_that_is_there() {
    let setup = Setup::new();
    reported(&setup).await;
    let mut session = setup.database().session().await;
    session.run("UPDATE installation SET id_secret_fingerprint = NULL").await;

    reported_again(&setup).await;

    assert_eq!(session.count("SELECT count(id_secret_fingerprint) FROM installation").await, 1);
}

async fn reported_again(setup: &Setup) {
    let server = setup.clone().start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.said(), (200, "unchanged".into()));
    server.stop().await;
}

#[tokio::test]
async fn a_misspelt_variable_stops_the_start_and_the_nearest_name_is_told() {
    let program = Setup::new().program().env("INCIDENT_ID_SECRET", "/run/secrets/id");
    refused(
        &program.output().await,
        "INCIDENT_ID_SECRET is no setting of this program; did you mean INCIDENT_ID_SECRET_FILE?",
    );
}

#[tokio::test]
async fn a_start_that_is_refused_has_changed_nothing_of_the_database() {
    let setup = Setup::new();
    reported(&setup).await;
    let mut session = setup.database().session().await;
    let tables = "SELECT count(*) FROM _sqlx_migrations";
    session
        .run("DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)")
        .await;
    let before = session.count(tables).await;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();

    let on_a_taken_port = setup.program().args(["--operations-listen", &address]).output().await;
    std::fs::remove_file(setup.data_dir().join("id.secret")).unwrap();
    let without_its_secret = setup.program().output().await;

    refused(&on_a_taken_port, "taken by another process");
    refused(&without_its_secret, "id.secret");
    assert_eq!(session.count(tables).await, before);
}

#[tokio::test]
async fn a_named_secret_of_tokens_has_to_be_there_beside_an_issuer_as_well() {
    let setup = Setup::new();
    let keys = setup.data_dir().join("keys.json");
    std::fs::write(&keys, r#"{"keys":[]}"#).unwrap();

    let flags = ["--auth-jwks", keys.to_str().unwrap(), "--auth-hs256-secret-file", "/not/there"];
    let output = setup.program().args(flags).output().await;

    refused(&output, "cannot read the secret file /not/there");
}
