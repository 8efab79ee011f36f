//! Writers that are not ours, holding what we need.

use std::{sync::Arc, time::Duration};

use incident_core::Outcome;
use incident_server::store::{PgStore, Store, SyncItem};
use sqlx::{Connection, PgConnection};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::support::{
    database::{Tables, TestDatabase},
    proxy::until,
    report::{cancelled, moment, outcome, outcomes, report, sync},
};

const TOUCH: &str = "UPDATE incidents SET location_id = location_id WHERE id = $1";

async fn touch(session: &mut PgConnection, item: &SyncItem) -> Result<(), sqlx::Error> {
    sqlx::query(TOUCH).bind(Uuid::from_bytes(*item.id.as_bytes())).execute(session).await.map(drop)
}

async fn somebody_waits_for_a_lock(session: &mut PgConnection) {
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    until("a wait for a lock", Duration::from_secs(3), async || {
        sqlx::query_scalar::<_, i64>(waiting).fetch_one(&mut *session).await.unwrap() > 0
    })
    .await;
}

pub(crate) async fn the_victim_of_a_deadlock_tries_again(tables: Tables) {
    let database = TestDatabase::postgres().await;
    tables.make_in(database.url()).await;
    let store = Arc::new(PgStore::open_url(database.url()).await.unwrap());
    let both = [report("alice", 0), report("alice", 1)];
    sync(&*store, &both).await;
    let (mut other, mut watcher) = (database.session().await, database.session().await);
    let mut foreign = other.begin().await.unwrap();
    touch(&mut foreign, &both[1]).await.unwrap();

    let off: Vec<_> = both.iter().map(|item| cancelled(item, "off")).collect();
    let ours = tokio::spawn({
        let store = Arc::clone(&store);
        async move { outcomes(&sync(&*store, &off).await) }
    });
    somebody_waits_for_a_lock(&mut watcher).await;
    // Now each waits for the other; ours waits for longer, so it is the one that is refused.
    touch(&mut foreign, &both[0]).await.unwrap();
    foreign.commit().await.unwrap();

    assert_eq!(ours.await.unwrap(), [Some(Outcome::Cancelled); 2]);
}

pub(crate) async fn a_lock_that_is_held_for_long_is_answered_in_time_and_harms_nobody_else(tables: Tables) {
    let database = TestDatabase::postgres().await;
    tables.make_in(database.url()).await;
    let store = Arc::new(PgStore::open_url(database.url()).await.unwrap());
    let (held, free) = (report("alice", 0), report("alice", 1));
    sync(&*store, &[held.clone(), free.clone()]).await;
    let mut other = database.session().await;
    let mut foreign = other.begin().await.unwrap();
    touch(&mut foreign, &held).await.unwrap();

    let started = Instant::now();
    let (blocked, fine) =
        tokio::join!(async { store.sync(&[cancelled(&held, "off")], moment(0)).await }, async {
            sleep(Duration::from_millis(200)).await;
            outcome(&*store, &cancelled(&free, "off")).await
        },);

    assert!(blocked.is_err() && started.elapsed() < Duration::from_secs(6));
    assert_eq!(fine, Some(Outcome::Cancelled));
    foreign.commit().await.unwrap();
    let settled = outcome(&*store, &cancelled(&held, "off")).await;
    assert!(matches!(settled, Some(Outcome::Cancelled | Outcome::Unchanged)));
}
