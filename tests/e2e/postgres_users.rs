//! Users of PostgreSQL: one who owns nothing serves on the tables of another, and one who cannot serve is told why.

use incident_tests::{Setup, payload};

use crate::start::refused;

/// They stand in docs/high-availability.md.
const GRANTS: [&str; 3] = [
    "GRANT USAGE ON SCHEMA public TO",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO",
    "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO",
];

#[tokio::test]
async fn a_user_with_the_documents_rights_serves_and_one_without_is_told_before_the_start() {
    let setup = Setup::on_postgres();
    setup.clone().start().await.stop().await;
    let mut session = setup.database().session().await;
    let user = format!("user_of_{}", session.text("SELECT current_database()::text").await);
    session.run(format!("CREATE ROLE {user} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")).await;
    let theirs = setup.database().url().unwrap().replace("postgres@", &format!("{user}@"));
    let setup = setup.flag("--database-url", theirs);
    session.run(format!("GRANT SELECT ON _sqlx_migrations TO {user}")).await;

    let (checked, started) = (setup.program().args(["check"]).output().await, setup.program().output().await);
    for grant in GRANTS {
        session.run(format!("{grant} {user}")).await;
    }
    let fit = setup.program().args(["check"]).output().await;
    let server = setup.start().await;

    refused(&started, "it lacks: SELECT on installation, INSERT on installation");
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("error    the user of the URL may not use the tables"), "{said}");
    assert_eq!((checked.status.code(), fit.status.code()), (Some(1), Some(0)));
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::report()).await.said(), (201, "created".into()));
    let cancelled = payload::cancelled(payload::report(), "off");
    assert_eq!(alice.sync(&cancelled).await.said(), (200, "cancelled".into()));
    assert_eq!(alice.get("/api/incidents").await.status, 200);
}

#[tokio::test]
async fn who_may_not_make_the_tables_is_told_so_by_a_check_as_by_the_start() {
    let setup = Setup::on_postgres();
    let mut session = setup.database().session().await;
    let user = format!("user_of_{}", session.text("SELECT current_database()::text").await);
    session.run(format!("CREATE ROLE {user} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")).await;
    let theirs = setup.database().url().unwrap().replace("postgres@", &format!("{user}@"));
    let setup = setup.flag("--database-url", theirs);

    let (checked, started) = (setup.program().args(["check"]).output().await, setup.program().output().await);

    refused(
        &started,
        "(permission denied for schema public); start this version once with the URL of their owner",
    );
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("error    the tables are missing or older than this version"), "{said}");
}

#[tokio::test]
async fn what_postgresql_says_to_a_user_is_said_without_a_line_of_its_source() {
    let setup = Setup::on_postgres();
    let nobody = setup.database().url().unwrap().replace("postgres@", "nobody_knows_me@");

    let output = setup.flag("--database-url", nobody).program().output().await;

    refused(&output, "the database cannot be used: role \"nobody_knows_me\" does not exist");
    assert!(!String::from_utf8(output.stderr).unwrap().contains("at line"));
}

#[tokio::test]
async fn a_user_for_whom_everything_is_read_only_is_told_of_the_setting() {
    let setup = Setup::on_postgres();
    let mut session = setup.database().session().await;
    let database = session.text("SELECT current_database()::text").await;
    session.run(format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).await;

    let output = setup.program().output().await;

    refused(&output, "or default_transaction_read_only is on for this user or database");
}
