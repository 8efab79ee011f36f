//! What an erasure leaves, and that nothing brings it back, on a database.

use std::sync::Arc;

use incident_core::{EventKind, IncidentId, Outcome, Status, Stored, Tombstone};
use incident_server::store::{ListQuery, Position, Store, SyncItem};
use tokio::task::JoinSet;

use crate::support::{
    database::TestDatabase,
    report::{cancelled, elsewhere, moment, outcome, outcomes, report, sync},
};

async fn erase(store: &dyn Store, ids: &[IncidentId]) -> Vec<(IncidentId, Outcome)> {
    let erased = store.erase(ids, moment(120_001)).await.expect("the database answers");
    erased.into_iter().map(|one| (one.id, one.outcome)).collect()
}

async fn feed(store: &dyn Store) -> Vec<(IncidentId, EventKind)> {
    let page = store.changes(Position::START, 1000).await.expect("the database answers");
    page.changes.iter().map(|change| (change.incident.id, change.event.change.kind())).collect()
}

/// Every list that a caller may ask for.
async fn lists(store: &dyn Store, report: &SyncItem) -> Vec<IncidentId> {
    let mut shown = Vec::new();
    for reporter in [None, Some(Arc::clone(&report.reporter))] {
        for status in [None, Some(Status::Open), Some(Status::Cancelled)] {
            for location_id in [None, Some(report.payload.facts.location_id.clone())] {
                let reporter = reporter.clone();
                let query = ListQuery { reporter, status, location_id, limit: 100, ..ListQuery::default() };
                let page = store.incidents(&query).await.expect("the database answers");
                shown.extend(page.incidents.iter().map(|stored| stored.id));
            }
        }
    }
    shown
}

fn left(report: &SyncItem) -> Stored {
    let created_at = report.payload.facts.created_at;
    Stored::Erased(Tombstone { created_at, erased_at: moment(120_000) })
}

pub(crate) async fn of_an_erased_incident_two_moments_are_left_and_one_event(database: &TestDatabase) {
    let store = database.open().await;
    let (open, off) = (report("alice", 0), cancelled(&report("alice", 1), "he said so"));
    let kept = report("alice", 2);
    sync(&*store, &[open.clone(), off.clone(), kept.clone(), cancelled(&off, "another reason")]).await;
    let unknown = report("bob", 0).id;

    let erased = erase(&*store, &[off.id, unknown, open.id, off.id]).await;

    let mut expected = vec![(off.id, Outcome::Erased), (open.id, Outcome::Erased)];
    expected.sort_unstable_by_key(|(id, _)| *id);
    let mut erased = erased;
    erased.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(erased, expected);
    for one in [&open, &off] {
        let stored = store.incident(one.id).await.unwrap().unwrap();
        assert_eq!((stored.incident, stored.reporter), (left(one), None));
        let history = store.history(one.id).await.unwrap();
        assert_eq!(history.iter().map(|event| event.change.kind()).collect::<Vec<_>>(), [EventKind::Erased]);
        assert!(!lists(&*store, one).await.contains(&one.id));
    }
    assert_eq!(lists(&*store, &kept).await, [kept.id; 8]);
    let changes = feed(&*store).await;
    assert_eq!(changes[0], (kept.id, EventKind::Created));
    assert_eq!(changes.len(), 3, "{changes:?}");
    assert!(changes[1..].iter().all(|(id, kind)| *id != kept.id && *kind == EventKind::Erased));
    assert_eq!(erase(&*store, &[open.id]).await, [(open.id, Outcome::Unchanged)]);
    assert_eq!(feed(&*store).await, changes, "it is erased once");
}

pub(crate) async fn nothing_brings_an_erased_incident_back(database: &TestDatabase) {
    let store = database.open().await;
    let one = report("alice", 0);
    let late = [one.clone(), cancelled(&one, "too late"), elsewhere(&one), cancelled(&elsewhere(&one), "x")];
    sync(&*store, std::slice::from_ref(&one)).await;
    erase(&*store, &[one.id]).await;

    for payload in &late {
        assert_eq!(outcome(&*store, payload).await, Some(Outcome::Erased));
    }
    let again = sync(&*store, &[&late[..], &[report("alice", 1)]].concat()).await;

    assert_eq!(outcomes(&again)[..4], [Some(Outcome::Erased); 4]);
    assert_eq!(outcomes(&again)[4], Some(Outcome::Created), "its neighbour in the batch is new");
    assert_eq!(store.incident(one.id).await.unwrap().unwrap().incident, left(&one));
    store.close().await;
    let after = database.open().await;
    assert_eq!(outcome(&*after, &one).await, Some(Outcome::Erased));
    assert_eq!(feed(&*after).await[0], (one.id, EventKind::Erased));
}

pub(crate) async fn a_reader_who_was_there_learns_of_every_erasure(database: &TestDatabase) {
    let store = database.open().await;
    let reports: Vec<_> = (0..20).map(|number| report("alice", number)).collect();
    sync(&*store, &reports).await;
    let mut seen = store.changes(Position::START, 100).await.unwrap().next;

    for one in reports.iter().rev() {
        erase(&*store, &[one.id]).await;
        let page = store.changes(seen, 100).await.unwrap();
        let changes: Vec<_> = page.changes.iter().map(|c| (c.incident.id, c.event.change.kind())).collect();
        assert_eq!(changes, [(one.id, EventKind::Erased)], "no database is given out twice");
        assert!(page.next > seen);
        seen = page.next;
    }
}

/// Payloads, cancellations and erasures of the same few incidents by several servers at once: whoever comes last, an
/// incident that was erased stays so, and nothing of its history is left.
pub(crate) async fn erasures_beside_writers_are_whole_and_final(database: &TestDatabase) {
    let servers = database.servers(3).await;
    for round in 0..10 {
        let reports: Vec<_> = (0..20).map(|number| report("alice", round * 20 + number)).collect();
        let ids: Vec<_> = reports.iter().map(|one| one.id).collect();
        sync(&*servers[0], &reports).await;
        let mut running = JoinSet::new();
        for number in 0..12 {
            let (server, reports, ids) = (Arc::clone(&servers[number % 3]), reports.clone(), ids.clone());
            running.spawn(async move {
                if number % 4 == 1 {
                    erase(&*server, &ids).await;
                } else {
                    let reason = format!("reason {number}");
                    let batch: Vec<_> = reports.iter().map(|one| cancelled(one, &reason)).collect();
                    sync(&*server, &batch).await;
                }
            });
        }
        running.join_all().await;

        for one in &reports {
            let stored = servers[1].incident(one.id).await.unwrap().unwrap().incident;
            assert_eq!(stored, left(one), "round {round}");
            let history = servers[2].history(one.id).await.unwrap();
            let kinds: Vec<_> = history.iter().map(|event| event.change.kind()).collect();
            assert_eq!(kinds, [EventKind::Erased], "round {round}");
            assert_eq!(outcome(&*servers[0], one).await, Some(Outcome::Erased));
        }
    }
}

pub(crate) async fn an_erasure_that_fails_half_way_has_changed_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let reports = [report("alice", 0), cancelled(&report("alice", 1), "he said so")];
    sync(&*store, &reports).await;
    let before = feed(&*store).await;
    // The last of many rows cannot be written.
    database.refuse_erasure_of(reports[1].id).await;

    let ids = reports.each_ref().map(|one| one.id);
    assert!(store.erase(&ids, moment(120_001)).await.is_err());

    assert_eq!(feed(&*store).await, before);
    for one in &reports {
        let stored = store.incident(one.id).await.unwrap().unwrap();
        assert!(stored.incident.kept().is_some() && stored.reporter.as_deref() == Some("alice"));
    }
}

pub(crate) async fn a_row_that_cannot_be_read_is_erased_like_any_other(database: &TestDatabase) {
    let store = database.open().await;
    let one = report("alice", 0);
    sync(&*store, std::slice::from_ref(&one)).await;
    database.edit("UPDATE incidents SET received_at_ms = -1, created_at_ms = -1").await;
    assert!(store.incident(one.id).await.is_err());

    assert_eq!(erase(&*store, &[one.id]).await, [(one.id, Outcome::Erased)]);

    assert_eq!(store.incident(one.id).await.unwrap().unwrap().incident, left(&one));
}
