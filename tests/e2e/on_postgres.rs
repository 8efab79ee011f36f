//! What only a database server can show: it may be away, from the start or for a while, and serve several.

use incident_tests::{Database, Program, Server, Setup, payload, until};

use crate::start::refused;

#[tokio::test]
async fn a_server_that_is_away_at_the_start_is_waited_for_and_told_without_the_password() {
    let setup = Setup::on_postgres();
    let nobody_listens = "postgres://alice:xyzzy-plugh@127.0.0.1:1/incidents";

    let mut run = setup.program().args(["--database-url", nobody_listens]).start();
    until("it says so", async || run.log().contains("the database is not there yet").then_some(())).await;
    run.terminate().await;

    assert_eq!(run.end().await.code(), Some(0), "SIGTERM ends the wait");
    assert!(!run.log().contains("xyzzy-plugh") && run.out().is_empty());
}

#[tokio::test]
async fn a_database_that_comes_later_is_served_then() {
    let setup = Setup::on_postgres();
    let elsewhere = Database::postgres();
    let mut session = elsewhere.session().await;
    let name = name_of(setup.database());
    session.run(format!("ALTER DATABASE {name} CONNECTION LIMIT 0")).await;
    session.run(format!("CREATE ROLE {name} LOGIN; ALTER DATABASE {name} OWNER TO {name}")).await;
    let url = setup.database().url().unwrap().replace("postgres@", &format!("{name}@"));

    let mut run = setup.program().args(["--database-url", &url]).start();
    until("it waits", async || run.log().contains("the database is not there yet").then_some(())).await;
    session.run(format!("ALTER DATABASE {name} CONNECTION LIMIT -1")).await;

    until("it listens", async || run.out().contains("listens on").then_some(())).await;
    run.terminate().await;
    assert_eq!(run.end().await.code(), Some(0));
}

#[tokio::test]
async fn no_id_secret_is_made_for_a_database_that_others_may_use() {
    let setup = Setup::on_postgres();
    let secret = setup.data_dir().join("id.secret");
    std::fs::remove_file(&secret).unwrap();

    let output = setup.program().output().await;
    refused(&output, "none is made for a database that other servers may use");
    assert!(String::from_utf8_lossy(&output.stderr).contains(secret.to_str().unwrap()), "it names the file");
    assert!(!secret.exists());
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_letter_is_refused_at_the_start() {
    let setup = Setup::on_postgres();
    let mut session = setup.database().session().await;
    let latin = format!("{}_latin", name_of(setup.database()));
    session.run(format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")).await;
    let url = setup.database().url().unwrap().replace(&name_of(setup.database()), &latin);

    let output = setup.program().args(["--database-url", &url]).output().await;

    session.run(format!("DROP DATABASE {latin} WITH (FORCE)")).await;
    refused(&output, "the PostgreSQL database has the encoding LATIN1, which cannot hold every report");
}

#[tokio::test]
async fn nothing_is_written_where_nothing_needs_to_be() {
    let (setup, secrets) = (Setup::on_postgres(), tempfile::TempDir::new().unwrap());
    let secret = secrets.path().join("secret");
    std::fs::write(&secret, "x".repeat(32)).unwrap();
    // A name below a file: nothing can be made there, not even by root.
    let nowhere = secret.join("incident-data");
    let file = secret.to_str().unwrap();

    let program = Program::new().args(["--listen", "127.0.0.1:0", "--data-dir", nowhere.to_str().unwrap()]);
    let program = program.args(["--id-secret-file", file, "--auth-hs256-secret-file", file]);
    let mut run = program.database(setup.database()).start();

    until("it listens", async || {
        assert!(run.ended().is_none(), "{}", run.log());
        run.out().contains("listens on").then_some(())
    })
    .await;
    assert!(!nowhere.exists());
}

#[tokio::test]
async fn backup_and_restore_name_the_databases_own_tools() {
    let setup = Setup::on_postgres();
    for command in ["backup", "restore"] {
        let program = setup.program().args([command, "/nonexistent"]);
        refused(&program.output().await, "PostgreSQL has its own tools, such as pg_basebackup and pg_dump");
    }
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_503_and_leaves_nothing_running_in_the_database() {
    let server = Setup::on_postgres().start().await;
    let (alice, mut session) = (server.client("alice"), server.database().session().await);
    assert_eq!(alice.get("/api/incidents").await.status, 200);
    session.run("BEGIN; LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE").await;

    let refused = alice.get("/api/incidents").await;

    assert_eq!(refused.said(), (503, "overloaded".into()));
    let gave_up = async || server.log().contains(r#""sqlstate":"57014""#).then_some(());
    until("PostgreSQL gives it up itself", gave_up).await;
    session.run("ROLLBACK").await;
    assert_eq!(alice.get("/api/incidents").await.status, 200);
}

const CHANGES: &str = "/api/incidents/changes";

async fn cursor(server: &Server) -> String {
    let page = server.responder().get(CHANGES).await;
    page.body["nextCursor"].as_str().unwrap_or_else(|| panic!("no page: {page:?}")).to_owned()
}

async fn is_gone(server: &Server, cursor: &str) -> bool {
    server.responder().get(&format!("{CHANGES}?after={cursor}")).await.said() == (410, "cursor-gone".into())
}

/// It stands in docs/high-availability.md, for a database that was set back in time.
#[tokio::test]
async fn the_documents_statement_begins_a_new_series() {
    let server = Setup::on_postgres().start().await;
    let before = cursor(&server).await;

    let statement = "UPDATE installation SET series = floor(random() * 9007199254740992)::bigint";
    server.database().session().await.run(statement).await;

    assert!(is_gone(&server, &before).await && !is_gone(&server, &cursor(&server).await).await);
}

#[tokio::test]
async fn a_database_that_was_read_in_from_a_dump_begins_a_new_series() {
    let server = Setup::on_postgres().start().await;
    let before = cursor(&server).await;
    // A dump says where it came from, which is not where it is now.
    server.database().session().await.run("UPDATE installation SET home = '1/2'").await;

    let server = server.kill_and_restart().await;

    assert!(is_gone(&server, &before).await);
    let first = cursor(&server).await;
    assert!(!is_gone(&server.kill_and_restart().await, &first).await, "it is at home now");
}

fn name_of(database: &Database) -> String {
    let url = database.url().unwrap();
    url.split('?').next().and_then(|url| url.rsplit('/').next()).unwrap().to_owned()
}

#[tokio::test]
async fn a_database_that_goes_away_is_503_and_serves_again_when_it_is_back() {
    let server = Setup::on_postgres().start().await;
    let alice = server.client("alice");
    assert_eq!(alice.sync(&payload::numbered(1)).await.status, 201);
    let elsewhere = Database::postgres();
    let mut session = elsewhere.session().await;
    let name = name_of(server.database());

    session.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    session
        .run(format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"))
        .await;
    let (written, read, ready) = tokio::join!(
        async { alice.sync(&payload::numbered(2)).await },
        alice.get("/api/incidents"),
        server.get("/readyz")
    );
    session.run(format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;

    for refused in [written, read, ready] {
        assert_eq!(refused.said(), (503, "overloaded".into()));
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    until("ready again", async || (server.get("/readyz").await.status == 200).then_some(())).await;
    assert_eq!(alice.sync(&payload::numbered(1)).await.said(), (200, "unchanged".into()));
    assert_eq!(alice.sync(&payload::numbered(2)).await.said(), (201, "created".into()));
}

#[tokio::test]
async fn two_servers_on_one_database_know_the_same_incidents() {
    let setup = Setup::on_postgres();
    let (one, other) = (setup.clone().start().await, setup.start().await);

    let created = one.client("alice").sync(&payload::report()).await;
    let repeated = other.client("alice").sync(&payload::report()).await;

    assert_eq!((created.said(), repeated.said()), ((201, "created".into()), (200, "unchanged".into())));
    assert_eq!(created.id(), repeated.id());
    assert_eq!(other.client("alice").get(&created.header("location")).await.status, 200);
}

#[tokio::test]
async fn a_check_says_what_the_database_would_keep_or_lose_and_that_it_is_away() {
    let setup = Setup::on_postgres();
    setup.clone().start().await.stop().await;
    let said = async |setup: &Setup| {
        let output = setup.program().args(["check"]).output().await;
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };

    let own = setup.database().url().unwrap().to_owned();
    let (status, doubtful) = said(&setup.clone().flag("--read-database-url", own)).await;
    let name = name_of(setup.database());
    let mut session = setup.database().session().await;
    for setting in [
        "log_parameter_max_length = 0",
        "log_parameter_max_length_on_error = 0",
        "log_error_verbosity = terse",
    ] {
        session.run(format!("ALTER DATABASE {name} SET {setting}")).await;
    }
    let (settled_status, settled) = said(&setup).await;
    let (away_status, away) =
        said(&setup.flag("--database-url", "postgres://alice:xyzzy-plugh@127.0.0.1:1/x")).await;

    assert_eq!((status, settled_status, away_status), (Some(0), Some(0), Some(1)));
    assert!(doubtful.contains("warning  log_error_verbosity is not terse"), "{doubtful}");
    assert!(doubtful.contains("warning  --read-database-url does not lead to a standby"), "{doubtful}");
    assert!(doubtful.contains("of this machine and of the database are "), "{doubtful}");
    assert!(!settled.contains("warning  log_"), "{settled}");
    assert!(away.contains("a start waits until it is there") && !away.contains("xyzzy"), "{away}");
}
