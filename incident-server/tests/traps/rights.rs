//! Users of the database who may do less than its owner.

use incident_core::Outcome;
use incident_server::store::{OpenError, PgStore, Store};
use sqlx::AssertSqlSafe;

use crate::support::{
    database::{Tables, TestDatabase},
    report::{outcome, report},
};

/// What docs/high-availability.md says.
const GRANTS: &str = "
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO";
const SEQUENCE: &str = "GRANT USAGE, SELECT ON SEQUENCE history_position_seq TO";

/// A user of the server, in this database, who owns nothing and may make nothing.
struct Lesser {
    name: String,
    url: String,
}

impl Lesser {
    async fn in_database(database: &TestDatabase) -> Self {
        let name = database.url().rsplit('/').next().unwrap().split('?').next().unwrap();
        let name = format!("lesser_{name}");
        let url = database.url().replace("postgres@", &format!("{name}@"));
        let lesser = Self { name, url };
        let name = &lesser.name;
        let make = format!(
            "DROP ROLE IF EXISTS {name}; CREATE ROLE {name} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        );
        run(database, make).await;
        lesser
    }

    async fn is_granted(&self, database: &TestDatabase, grants: &str) {
        run(database, format!("{grants} {}", self.name)).await;
    }

    async fn refused(&self) -> OpenError {
        PgStore::open_url(&self.url).await.err().expect("refused")
    }
}

async fn run(database: &TestDatabase, statements: String) {
    sqlx::raw_sql(AssertSqlSafe(statements))
        .execute(&mut database.session().await)
        .await
        .expect("they are right");
}

pub(crate) async fn who_may_make_nothing_serves_on_tables_that_are_there(tables: Tables) {
    let database = TestDatabase::postgres().await;
    tables.make_in(database.url()).await;
    let lesser = Lesser::in_database(&database).await;
    lesser.is_granted(&database, GRANTS).await;
    lesser.is_granted(&database, SEQUENCE).await;

    let store = PgStore::open_url(&lesser.url).await.expect("it starts");

    assert_eq!(outcome(&store, &report("alice", 0)).await, Some(Outcome::Created));
    assert!(store.knows_secret([7; 32]).await.unwrap());
    let erased = store.erase(&[report("alice", 0).id], report("alice", 1).payload.facts.created_at).await;
    assert_eq!(erased.unwrap()[0].outcome, Outcome::Erased);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_the_tables_is_told_that_their_owner_has_to() {
    let database = TestDatabase::postgres().await;
    let lesser = Lesser::in_database(&database).await;

    let refused = lesser.refused().await;

    assert!(matches!(refused, OpenError::MayNotMakeTables(_)), "{refused}");
    assert!(refused.to_string().contains("permission denied for schema public"), "{refused}");
    assert!(refused.to_string().contains("with the URL of their owner"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_user_may_not_do_is_named_at_the_start() {
    let database = TestDatabase::postgres().await;
    database.open().await.close().await;
    let lesser = Lesser::in_database(&database).await;
    lesser.is_granted(&database, GRANTS).await;
    lesser.is_granted(&database, "GRANT USAGE ON SEQUENCE history_position_seq TO").await;

    let refused = lesser.refused().await.to_string();

    assert!(refused.contains("lacks: SELECT on history_position_seq; let their owner grant"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_named_to_who_may_make_nothing_too() {
    let database = TestDatabase::postgres().await;
    database.open().await.close().await;
    let lesser = Lesser::in_database(&database).await;
    lesser.is_granted(&database, GRANTS).await;
    let newer = "
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9000, 'from the future', true, '', 0)";
    run(&database, newer.to_owned()).await;

    let refused = lesser.refused().await;

    assert!(matches!(refused, OpenError::TooNew(9000)), "{refused}");
}
