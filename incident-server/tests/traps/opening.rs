//! Which databases a server takes.

use std::{str::FromStr, time::Duration};

use incident_server::store::{OpenError, PgStore, Store};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::{task::JoinSet, time::timeout};

use crate::support::{
    cluster::Cluster,
    database::TestDatabase,
    proxy::until,
    report::{outcome, report},
};

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_at_once_on_an_empty_database_all_start() {
    let database = TestDatabase::postgres().await;
    let mut starting = JoinSet::new();
    for _ in 0..8 {
        let url = database.url().to_owned();
        starting.spawn(async move { PgStore::open_url(&url).await.expect("it starts") });
    }
    for (round, store) in (0..).zip(starting.join_all().await) {
        assert!(outcome(&store, &report("alice", round)).await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_newer_version_is_refused_with_what_to_do() {
    let database = TestDatabase::postgres().await;
    database.open().await.close().await;
    let newer = "
        INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9000, 'from the future', true, '', 0)";
    sqlx::query(newer).execute(&mut database.session().await).await.unwrap();

    let refused = PgStore::open_url(database.url()).await.err().expect("refused");

    assert!(matches!(refused, OpenError::TooNew(9000)));
    assert!(refused.to_string().contains("run that version"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_another_encoding_is_refused_with_what_to_do() {
    let database = TestDatabase::postgres().await;
    let latin = format!("latin1_{}", std::process::id());
    let create = format!("CREATE DATABASE {latin} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    let mut session = database.session().await;
    sqlx::query(AssertSqlSafe(create)).execute(&mut session).await.unwrap();
    let url = PgConnectOptions::from_str(database.url()).unwrap().database(&latin).to_url_lossy();

    let refused = PgStore::open_url(url.as_str()).await.err().expect("refused");

    sqlx::query(AssertSqlSafe(format!("DROP DATABASE {latin} WITH (FORCE)")))
        .execute(&mut session)
        .await
        .unwrap();
    assert!(refused.to_string().contains("the encoding LATIN1"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_means_that_writing_works_and_one_in_vain_leaves_nothing_behind() {
    let primary = Cluster::start();
    let standby = primary.synchronous_standby();
    PgStore::open_url(&primary.url()).await.expect("its tables are made").close().await;
    standby.stop();

    for _ in 0..3 {
        let refused = PgStore::open_url(&primary.url()).await.err().expect("refused");
        assert!(refused.to_string().contains("takes no writes"), "{refused}");
    }

    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    let mut session = PgConnection::connect(&primary.url()).await.unwrap();
    until("the last attempt's end", Duration::from_secs(5), async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut session).await.unwrap() == 0
    })
    .await;
    standby.resume();
    PgStore::open_url(&primary.url()).await.expect("it is back").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_on_tables_that_somebody_holds_ends_soon_and_leaves_nothing_that_waits() {
    let database = TestDatabase::postgres().await;
    database.open().await.close().await;
    let (mut holder, mut watcher) = (database.session().await, database.session().await);
    let mut held = holder.begin().await.unwrap();
    sqlx::query("LOCK TABLE installation").execute(&mut *held).await.unwrap();

    let starting = timeout(Duration::from_secs(20), PgStore::open_url(database.url()));
    let refused = starting.await.expect("it ends").err().expect("refused");

    assert!(matches!(refused, OpenError::TablesHeld), "{refused}");
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until("the wait's end", Duration::from_secs(5), async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut watcher).await.unwrap() == 0
    })
    .await;
    held.rollback().await.unwrap();
    database.open().await.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_refused() {
    let primary = Cluster::start();
    let standby = primary.synchronous_standby();
    let refused = PgStore::open_url(&standby.url()).await.err().expect("refused");
    assert!(matches!(refused, OpenError::ReadOnly), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_server_says_commits_are_durable() {
    let cluster = Cluster::start();
    cluster.configure("synchronous_commit = off\n");
    cluster.reload();
    let store = PgStore::open_url(&cluster.url()).await.unwrap();
    assert!(outcome(&store, &report("alice", 0)).await.is_some());
    cluster.kill();
    cluster.resume();
    assert!(store.incident(report("alice", 0).id).await.unwrap().is_some());
}
