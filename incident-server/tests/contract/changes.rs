//! The history of all incidents, for those who follow it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use incident_core::{EventKind, IncidentId, Status};
use incident_server::store::{Position, Store, StoredChange};
use tokio::{task::JoinSet, time::timeout};

use crate::support::{
    database::TestDatabase,
    report::{cancelled, report, sync},
};

async fn page(store: &dyn Store, after: Position, limit: i64) -> Vec<StoredChange> {
    store.changes(after, limit).await.expect("the database answers").changes
}

/// Everything from the beginning, page by page.
async fn all(store: &dyn Store, limit: i64) -> Vec<StoredChange> {
    let mut seen: Vec<StoredChange> = Vec::new();
    loop {
        let after = seen.last().map_or(Position::START, |change| change.position);
        let page = page(store, after, limit).await;
        if page.is_empty() {
            return seen;
        }
        assert!(page.len() <= usize::try_from(limit).unwrap());
        assert!(page[0].position > after, "a page begins behind what was read");
        seen.extend(page);
    }
}

fn steps(changes: &[StoredChange]) -> Vec<(IncidentId, EventKind)> {
    changes.iter().map(|change| (change.incident.id, change.event.change.kind())).collect()
}

pub(crate) async fn changes_come_in_the_order_of_their_commits(database: &TestDatabase) {
    let servers = database.servers(2).await;
    let (one, other) = (report("alice", 1), report("alice", 0));
    sync(&*servers[0], &[one.clone(), other.clone()]).await;
    sync(&*servers[1], &[cancelled(&other, "x"), cancelled(&report("bob", 0), "y")]).await;
    sync(&*servers[0], &[cancelled(&other, "z"), one.clone()]).await;

    let changes = all(&*servers[1], 100).await;

    let bob = report("bob", 0).id;
    let (created, off) = (EventKind::Created, EventKind::Cancelled);
    let again = EventKind::CancellationRestated;
    let expected = [
        (one.id, created),
        (other.id, created),
        (other.id, off),
        (bob, created),
        (bob, off),
        (other.id, again),
    ];
    assert_eq!(steps(&changes), expected);
    let states: Vec<_> =
        changes.iter().map(|change| change.incident.incident.kept().unwrap().state.status()).collect();
    assert_eq!(states[..2], [Status::Open, Status::Cancelled], "the incident is shown as it is now");
    assert_eq!(changes[5].event.change.reason().unwrap().as_str(), "z");
    assert_eq!(changes[0].incident.reporter.as_deref(), Some("alice"));
}

pub(crate) async fn pages_of_changes_join_without_gap_or_repeat(database: &TestDatabase) {
    let store = database.open().await;
    for hundred in 0..3 {
        let batch: Vec<_> = (0..100).map(|number| report("alice", hundred * 100 + number)).collect();
        sync(&*store, &batch).await;
    }
    let whole = steps(&all(&*store, 1000).await);
    assert_eq!(whole.len(), 300);
    assert_eq!(steps(&all(&*store, 7).await), whole);
    let end = all(&*store, 1000).await.last().unwrap().position;
    assert!(page(&*store, end, 10).await.is_empty());
}

pub(crate) async fn a_reader_beside_many_writers_sees_every_change_once(database: &TestDatabase) {
    const WRITERS: usize = 8;
    const ROUNDS: i64 = 60;
    let servers = database.servers(3).await;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let server = Arc::clone(&servers[writer % servers.len()]);
        writers.spawn(async move {
            for round in 0..ROUNDS {
                let one = report(&format!("reporter {writer}"), round);
                // All writers meet on the shared one and wait for each other there.
                sync(&*server, &[one.clone(), report("shared", round)]).await;
                sync(&*server, &[cancelled(&one, "x")]).await;
            }
        });
    }
    let reader =
        tokio::spawn(follow(Arc::clone(&servers[1]), usize::try_from(ROUNDS).unwrap() * (WRITERS * 2 + 1)));
    writers.join_all().await;

    let seen = timeout(Duration::from_secs(20), reader).await.expect("no change is missing").unwrap();

    assert!(seen.is_sorted_by(|one, next| one.position < next.position));
    assert_eq!(steps(&seen), steps(&all(&*servers[0], 1000).await), "as a late reader sees it");
    let mut last = HashMap::new();
    for (id, kind) in steps(&seen) {
        assert_eq!(last.insert(id, kind), (kind == EventKind::Cancelled).then_some(EventKind::Created));
    }
}

/// Reads on, page by page without a pause, until so many changes were seen.
async fn follow(store: Arc<dyn Store>, count: usize) -> Vec<StoredChange> {
    let mut seen: Vec<StoredChange> = Vec::new();
    while seen.len() < count {
        let after = seen.last().map_or(Position::START, |change| change.position);
        seen.extend(page(&*store, after, 50).await);
    }
    seen
}

pub(crate) async fn a_change_wakes_the_readers_of_every_server_within_a_second(database: &TestDatabase) {
    let servers = database.servers(2).await;
    let mut waiting: Vec<_> = servers.iter().map(|server| server.watch_changes()).collect();
    for round in 0..5 {
        for reader in &mut waiting {
            reader.mark_unchanged();
        }
        sync(&*servers[0], &[report("alice", round)]).await;
        for (reader, server) in waiting.iter_mut().zip(&servers) {
            let woken = async {
                while all(&**server, 100).await.len() <= usize::try_from(round).unwrap() {
                    reader.changed().await.unwrap();
                }
            };
            timeout(Duration::from_secs(1), woken).await.expect("woken within a second");
        }
    }
}
