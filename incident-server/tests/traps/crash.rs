//! `kill -9` to PostgreSQL, and clients that go away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use incident_core::{EventKind, Outcome};
use incident_server::store::{PgStore, Position, Store, SyncItem};
use tokio::{task::JoinSet, time::sleep};

use crate::support::{
    cluster::Cluster,
    database::{Tables, TestDatabase},
    proxy::until,
    report::{cancelled, moment, outcome, report},
};

/// Sends new reports, each until it is acknowledged, and returns them.
async fn client(store: Arc<dyn Store>, name: String, stop: Arc<AtomicBool>) -> Vec<SyncItem> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let report = cancelled(&report(&name, number), "off");
        while store.sync(std::slice::from_ref(&report), moment(0)).await.is_err() {
            sleep(Duration::from_millis(10)).await;
        }
        acknowledged.push(report);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    acknowledged
}

pub(crate) async fn nothing_that_was_acknowledged_is_lost_or_doubled_by_kill_9(tables: Tables) {
    let cluster = Cluster::start();
    tables.make_in(&cluster.url()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = JoinSet::new();
    for server in 0..2 {
        let store: Arc<dyn Store> = Arc::new(PgStore::open_url(&cluster.url()).await.unwrap());
        for number in 0..4 {
            clients.spawn(client(Arc::clone(&store), format!("{server}-{number}"), Arc::clone(&stop)));
        }
    }
    for _ in 0..3 {
        sleep(Duration::from_millis(700)).await; // load
        cluster.kill();
        cluster.resume();
    }
    sleep(Duration::from_millis(700)).await;
    stop.store(true, Ordering::Relaxed);
    let acknowledged: Vec<_> = clients.join_all().await.into_iter().flatten().collect();

    assert!(acknowledged.len() > 50, "{} under load", acknowledged.len());
    let store = PgStore::open_url(&cluster.url()).await.unwrap();
    for report in &acknowledged {
        let kinds: Vec<_> =
            store.history(report.id).await.unwrap().iter().map(|event| event.change.kind()).collect();
        assert_eq!(kinds, [EventKind::Created, EventKind::Cancelled]);
        assert_eq!(outcome(&store, report).await, Some(Outcome::Unchanged));
    }
}

pub(crate) async fn a_caller_that_goes_away_leaves_nothing_open_and_nothing_half_done(tables: Tables) {
    let database = TestDatabase::postgres().await;
    tables.make_in(database.url()).await;
    let store = Arc::new(PgStore::open_url(database.url()).await.unwrap());
    for number in 0..300u64 {
        let (server, report) = (Arc::clone(&store), report("alice", i64::try_from(number).unwrap()));
        let caller = tokio::spawn(async move {
            let _ = server.sync(&[cancelled(&report, "off")], moment(0)).await;
        });
        sleep(Duration::from_micros(number * 17)).await;
        caller.abort();
        let _ = caller.await;
    }
    let mut session = database.session().await;
    let open = "
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database()
            AND pid <> pg_backend_pid()
            AND (state LIKE 'idle in transaction%' OR state = 'active')";
    until("the end of every transaction", Duration::from_secs(5), async || {
        sqlx::query_scalar::<_, i64>(open).fetch_one(&mut session).await.unwrap() == 0
    })
    .await;
    let halves = "
        SELECT count(*)
        FROM incidents
        WHERE version <> (SELECT count(*) FROM history WHERE incident_id = incidents.id)";
    assert_eq!(sqlx::query_scalar::<_, i64>(halves).fetch_one(&mut session).await.unwrap(), 0);
    assert!(outcome(&*store, &report("bob", 0)).await.is_some());
    store.changes(Position::START, 1000).await.unwrap();
}
