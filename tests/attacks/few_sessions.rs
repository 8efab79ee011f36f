//! PostgreSQL has a session for the start, and then none left for a while: the server waits, as for one that is away.

use incident_tests::{payload, until};
use sqlx::{Connection, PgConnection};

use super::{cluster::Cluster, clusters};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_that_finds_no_further_session_waits_for_one() {
    let cluster = Cluster::start();
    let mut session = PgConnection::connect(&cluster.url()).await.unwrap();
    let role = "CREATE ROLE server LOGIN CONNECTION LIMIT 1; GRANT CREATE ON SCHEMA public TO server";
    sqlx::raw_sql(role).execute(&mut session).await.unwrap();
    let setup = clusters::on(&cluster.url().replace("postgres@", "server@"));

    let mut run = setup.program().start();
    let waits = || run.log().matches("nothing is served until").count();
    until("it has asked twice", async || (waits() >= 2 || run.out().contains("listens")).then_some(())).await;
    assert!(!run.out().contains("listens on") && run.ended().is_none(), "{}", run.log());
    sqlx::raw_sql("ALTER ROLE server CONNECTION LIMIT 20").execute(&mut session).await.unwrap();

    until("it listens", async || run.out().contains("listens on").then_some(())).await;
    run.kill().await;
    let server = setup.start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}
