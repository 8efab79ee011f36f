//! Two synchronous servers: what is acknowledged survives the loss of either.

use std::{sync::Arc, time::Duration};

use incident_core::Outcome;
use incident_server::store::{PgStore, Store};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{
    cluster::Cluster,
    database::Tables,
    proxy::{Proxy, until},
    report::{cancelled, elsewhere, moment, outcome, report},
};

/// Cancels the waits for the standby, as an administrator might: the commits report success.
async fn cancel_the_wait(primary: &Cluster) {
    let mut session = PgConnection::connect(&primary.url()).await.unwrap();
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    until("a wait for the standby", Duration::from_secs(3), async || {
        sqlx::query_scalar::<_, i64>(cancel).fetch_one(&mut session).await.unwrap() > 0
    })
    .await;
}

pub(crate) async fn a_repeat_and_a_conflict_wait_for_the_standby_too(tables: Tables) {
    let primary = Cluster::start();
    tables.make_in(&primary.url()).await;
    let standby = primary.synchronous_standby();
    let store = Arc::new(PgStore::open_url(&primary.url()).await.unwrap());
    standby.stop();
    // Here but not there: its commit was interrupted while it waited.
    let alone = report("alice", 0);
    let writing = tokio::spawn({
        let (store, alone) = (Arc::clone(&store), alone.clone());
        async move { store.sync(&[alone], moment(0)).await }
    });
    sleep(Duration::from_millis(100)).await;
    cancel_the_wait(&primary).await;
    let _ = writing.await.unwrap();
    assert!(store.incident(alone.id).await.unwrap().is_some(), "it is visible");

    let second = Duration::from_secs(1);
    for step in [alone.clone(), cancelled(&elsewhere(&alone), "off")] {
        let answered = timeout(second, store.sync(std::slice::from_ref(&step), moment(0))).await;
        assert!(answered.is_err(), "while only one server has it: {step:?}");
    }
    assert!(timeout(second, store.ready()).await.is_err(), "while only one server has it");
    standby.resume();
    assert_eq!(outcome(&*store, &alone).await, Some(Outcome::Unchanged));
    store.ready().await.unwrap();
}

pub(crate) async fn a_wait_that_somebody_cancels_is_no_success(tables: Tables) {
    let primary = Cluster::start();
    tables.make_in(&primary.url()).await;
    let standby = primary.synchronous_standby();
    let store = Arc::new(PgStore::open_url(&primary.url()).await.unwrap());
    standby.stop();
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.sync(&[report("alice", 0)], moment(0)).await }
    });
    sleep(Duration::from_millis(1500)).await;
    cancel_the_wait(&primary).await;
    assert!(timeout(Duration::from_secs(2), writing).await.is_err(), "it is proved by another commit");
}

pub(crate) async fn after_a_failover_the_new_primary_is_found_and_has_everything(tables: Tables) {
    let primary = Cluster::start();
    tables.make_in(&primary.url()).await;
    let standby = primary.synchronous_standby();
    let proxy = Proxy::to(primary.port).await;
    let store = PgStore::open_url(&proxy.url()).await.unwrap();
    for number in 0..50 {
        assert_eq!(outcome(&store, &report("alice", number)).await, Some(Outcome::Created));
    }
    primary.kill();
    // The balancer is early: a standby takes no changes, and what it says is not believed.
    proxy.lead_to(standby.port);
    assert!(store.sync(&[report("alice", 0)], moment(0)).await.is_err());
    assert!(store.incident(report("alice", 0).id).await.is_err());

    standby.promote();

    let promoted = Instant::now();
    for number in 0..50 {
        assert_eq!(outcome(&store, &report("alice", number)).await, Some(Outcome::Unchanged));
    }
    assert!(promoted.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_a_primary_that_was_demoted_are_closed() {
    let cluster = Cluster::start();
    let store = PgStore::open_url(&cluster.url()).await.unwrap();
    outcome(&store, &report("alice", 0)).await;
    cluster.configure("default_transaction_read_only = on\n");
    cluster.reload();
    sleep(Duration::from_millis(300)).await; // the sessions hear of it
    let refused = store.sync(&[report("alice", 1)], moment(0)).await;
    assert!(refused.is_err());
    cluster.configure("default_transaction_read_only = off\n");
    cluster.reload();
    let back = async || store.sync(&[report("alice", 1)], moment(0)).await.is_ok();
    until("a write", Duration::from_secs(5), back).await;
}
