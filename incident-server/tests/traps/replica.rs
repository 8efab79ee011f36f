//! A standby that answers lists and single reads: what it may be late with, and what nobody notices.

use std::{slice::from_ref, time::Duration};

use incident_server::store::{ListQuery, PgStore, Store};
use sqlx::{Connection, PgConnection};

use crate::support::{
    cluster::Cluster,
    proxy::until,
    report::{moment, report},
};

const PATIENCE: Duration = Duration::from_secs(30);

async fn listed(store: &PgStore) -> usize {
    store.incidents_to_show(&ListQuery { limit: 50, ..ListQuery::default() }).await.unwrap().incidents.len()
}

async fn run(server: &Cluster, statement: &'static str) {
    let mut session = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query(statement).execute(&mut session).await.unwrap();
}

async fn answers(server: &Cluster, question: &'static str) -> bool {
    let mut session = PgConnection::connect(&server.url()).await.unwrap();
    sqlx::query_scalar(question).fetch_one(&mut session).await.unwrap()
}

/// Whether a server of ours has just asked this PostgreSQL something with these words in it.
async fn was_asked(server: &Cluster, words: &'static str) -> bool {
    let mut session = PgConnection::connect(&server.url()).await.unwrap();
    let asked = "SELECT EXISTS (
        SELECT
        FROM pg_stat_activity
        WHERE application_name = 'incident-server'
            AND strpos(query, $1) > 0
    )";
    sqlx::query_scalar(asked).bind(words).fetch_one(&mut session).await.unwrap()
}

/// Waits until so many incidents are listed, and from the standby.
async fn until_read(standby: &Cluster, store: &PgStore, count: usize) {
    until("lists are read from the standby", PATIENCE, async || {
        listed(store).await == count && was_asked(standby, "FROM incidents").await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_single_incidents_come_from_the_standby_and_are_never_older_than_the_primary() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let store = PgStore::open_urls(&primary.url(), Some(&standby.url())).await.unwrap();
    store.sync(&[report("alice", 0)], moment(0)).await.unwrap();
    until_read(&standby, &store, 1).await;

    for number in 1..20 {
        let next = report("alice", number);
        store.sync(from_ref(&next), moment(number)).await.unwrap();
        assert!(store.incident_to_show(next.id).await.unwrap().is_some(), "{number}");
        assert_eq!(listed(&store).await, usize::try_from(number).unwrap() + 1);
    }
    run(&standby, "SELECT pg_wal_replay_pause()").await;
    let late = report("alice", 20);
    store.sync(from_ref(&late), moment(20)).await.unwrap();

    assert_eq!(listed(&store).await, 21, "by the primary");
    assert!(store.incident_to_show(late.id).await.unwrap().is_some());
    run(&standby, "SELECT pg_wal_replay_resume()").await;
    until_read(&standby, &store, 21).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_away_is_passed_over_and_taken_again() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let store = PgStore::open_urls(&primary.url(), Some(&standby.url())).await.unwrap();
    until_read(&standby, &store, 0).await;

    standby.kill();
    store.sync(&[report("alice", 0)], moment(0)).await.unwrap();
    assert_eq!(listed(&store).await, 1, "by the primary");
    standby.resume();
    until_read(&standby, &store, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_is_frozen_is_passed_over() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let store = PgStore::open_urls(&primary.url(), Some(&standby.url())).await.unwrap();
    until_read(&standby, &store, 0).await;

    standby.freeze();
    store.sync(&[report("alice", 0)], moment(0)).await.unwrap();
    let answered = listed(&store).await;
    standby.thaw();

    assert_eq!(answered, 1, "by the primary");
}

/// A statement there that conflicts with what the primary has done waits, or is ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_waits_on_the_standby_comes_from_the_primary() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let store = PgStore::open_urls(&primary.url(), Some(&standby.url())).await.unwrap();
    store.sync(&[report("alice", 0)], moment(0)).await.unwrap();
    until_read(&standby, &store, 1).await;
    let mut locking = PgConnection::connect(&primary.url()).await.unwrap();
    for statement in ["BEGIN", "LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE"] {
        sqlx::query(statement).execute(&mut locking).await.unwrap();
    }
    run(&primary, "SELECT pg_switch_wal()").await;
    let is_locked = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'incidents'::regclass AND mode = 'AccessExclusiveLock')";
    until("the lock is there, too", PATIENCE, async || answers(&standby, is_locked).await).await;
    run(&standby, "SELECT pg_wal_replay_pause()").await;
    sqlx::query("COMMIT").execute(&mut locking).await.unwrap();
    store.sync(&[report("alice", 1)], moment(1)).await.unwrap();

    assert_eq!(listed(&store).await, 2);

    run(&standby, "SELECT pg_wal_replay_resume()").await;
    until_read(&standby, &store, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_of_another_database_is_never_read() {
    let (primary, stranger) = (Cluster::start(), Cluster::start());
    let elsewhere = PgStore::open_url(&stranger.url()).await.unwrap();
    elsewhere.sync(&[report("mallory", 0)], moment(0)).await.unwrap();
    let store = PgStore::open_urls(&primary.url(), Some(&stranger.url())).await.unwrap();
    let judged = async || was_asked(&stranger, "FROM installation").await;
    until("the stranger is judged", PATIENCE, judged).await;

    assert_eq!(listed(&store).await, 0);
    assert!(store.incident_to_show(report("mallory", 0).id).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_primary_is_away_what_the_standby_has_is_read_on() {
    let primary = Cluster::start();
    let standby = primary.standby();
    let store = PgStore::open_urls(&primary.url(), Some(&standby.url())).await.unwrap();
    let there = report("alice", 0);
    store.sync(from_ref(&there), moment(0)).await.unwrap();
    until_read(&standby, &store, 1).await;

    primary.kill();

    let is_shown = async || store.incident_to_show(there.id).await.is_ok_and(|found| found.is_some());
    until("the standby answers alone", PATIENCE, is_shown).await;
    assert_eq!(listed(&store).await, 1);
    assert!(store.incident(there.id).await.is_err(), "what decides anything waits for the primary");
}
