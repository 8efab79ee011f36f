//! A hand in the database: what it left is believed, and what cannot be read costs only itself.

use std::{collections::HashSet, sync::Arc, time::Duration};

use incident_core::{EventKind, IncidentId, Outcome, Status};
use incident_server::{
    Clock,
    commit::{Committer, QueueLimits},
    metrics::Metrics,
    store::{ItemError, ListQuery, Position, Store, SyncItem, Verdict},
};
use tokio::task::JoinSet;

use crate::support::{
    database::TestDatabase,
    report::{cancelled, elsewhere, outcome, outcomes, report, sync},
};

const REPORTS: i64 = 100;

/// A hundred reports that are stored.
async fn hundred(store: &dyn Store) -> Vec<SyncItem> {
    let reports: Vec<_> = (0..REPORTS).map(|number| report("alice", number)).collect();
    sync(store, &reports).await;
    reports
}

/// How both databases write the id of a report.
fn literal(database: &TestDatabase, report: &SyncItem) -> String {
    let id = report.id.to_string();
    match database {
        TestDatabase::Sqlite(_) => format!("x'{}'", id.replace('-', "")),
        TestDatabase::Postgres(_) => format!("'{id}'"),
    }
}

async fn set(database: &TestDatabase, report: &SyncItem, what: &str) {
    database.edit(&format!("UPDATE incidents SET {what} WHERE id = {}", literal(database, report))).await;
}

/// All changes, in pages of ten.
async fn changes(store: &dyn Store) -> Vec<(IncidentId, EventKind)> {
    let (mut seen, mut after) = (Vec::new(), Position::START);
    loop {
        let page = store.changes(after, 10).await.expect("the feed goes on");
        if page.next == after {
            return seen;
        }
        seen.extend(page.changes.iter().map(|change| (change.incident.id, change.event.change.kind())));
        after = page.next;
    }
}

/// All incidents, in pages of ten.
async fn listed(store: &dyn Store) -> HashSet<IncidentId> {
    let (mut seen, mut after) = (HashSet::new(), None);
    loop {
        let query = ListQuery { after, limit: 10, ..ListQuery::default() };
        let page = store.incidents(&query).await.expect("the list goes on");
        seen.extend(page.incidents.iter().map(|stored| stored.id));
        let Some(next) = page.next else { return seen };
        assert!(after.is_none_or(|after| next < after), "a page ends behind the one before");
        after = Some(next);
    }
}

fn unchanged(verdicts: &[Verdict]) -> usize {
    outcomes(verdicts).iter().filter(|outcome| **outcome == Some(Outcome::Unchanged)).count()
}

pub(crate) async fn a_row_that_no_rule_allows_is_believed(database: &TestDatabase) {
    let store = database.open().await;
    let reports = hundred(&*store).await;
    set(database, &reports[7], "location_id = '', room_number = ' ', longitude_e7 = 2000000000").await;

    let verdicts = sync(&*store, &reports).await;

    assert!(matches!(verdicts[7], Err(ItemError::Conflict(_))), "its facts are others: {:?}", verdicts[7]);
    assert_eq!(unchanged(&verdicts), 99);
    let stored = store.incident(reports[7].id).await.unwrap().unwrap();
    assert_eq!(stored.incident.kept().unwrap().facts.location_id.as_str(), "");
    assert_eq!((listed(&*store).await.len(), changes(&*store).await.len()), (100, 100));
}

pub(crate) async fn a_row_that_cannot_be_read_costs_only_itself(database: &TestDatabase) {
    let store = database.open().await;
    let reports = hundred(&*store).await;
    for number in [0, 50, 99] {
        set(database, &reports[number], "received_at_ms = 9223372036854775807").await;
    }

    let verdicts = sync(&*store, &reports).await;

    assert_eq!(unchanged(&verdicts), 97);
    let Err(ItemError::Row(fault)) = &verdicts[50] else { panic!("{:?}", verdicts[50]) };
    assert_eq!(
        (fault.table, &*fault.column, &fault.id),
        ("incidents", "received_at_ms", &reports[50].id.to_string())
    );
    assert_eq!((listed(&*store).await.len(), changes(&*store).await.len()), (97, 97));
    assert!(store.incident(reports[50].id).await.is_err());
}

pub(crate) async fn an_event_of_no_known_kind_is_left_out_and_the_feed_goes_on(database: &TestDatabase) {
    let store = database.open().await;
    let reports = hundred(&*store).await;
    let vanished = format!(
        "UPDATE history SET kind = 'vanished' WHERE incident_id <> {}",
        literal(database, &reports[99])
    );
    database.edit(&vanished).await;

    assert_eq!(changes(&*store).await, [(reports[99].id, EventKind::Created)]);
    assert_eq!(store.history(reports[3].id).await.unwrap(), []);
    assert_eq!(unchanged(&sync(&*store, &reports).await), 100);
}

pub(crate) async fn a_reason_that_was_taken_away_leaves_a_cancellation_without_one(database: &TestDatabase) {
    let store = database.open().await;
    let mut reports = hundred(&*store).await;
    reports[5] = cancelled(&reports[5], "he said so");
    sync(&*store, &reports).await;
    set(database, &reports[5], "cancellation_reason = NULL").await;
    database.edit("UPDATE history SET cancellation_reason = NULL").await;

    let seen = changes(&*store).await;

    assert_eq!((seen.len(), seen[100]), (101, (reports[5].id, EventKind::Cancelled)));
    let stored = store.incident(reports[5].id).await.unwrap().unwrap().incident;
    assert_eq!(stored.kept().unwrap().state.status(), Status::Cancelled);
    assert_eq!(unchanged(&sync(&*store, &reports).await), 99);
    assert!(outcome(&*store, &reports[5]).await == Some(Outcome::AlreadyCancelled));
}

pub(crate) async fn a_history_that_was_deleted_keeps_nobody_busy(database: &TestDatabase) {
    let store = database.open().await;
    let mut reports = hundred(&*store).await;
    for reason in ["first", "second", "third"] {
        outcome(&*store, &cancelled(&reports[5], reason)).await;
    }
    database.edit("DELETE FROM history").await;
    reports[5] = cancelled(&reports[5], "fourth");

    let verdicts = sync(&*store, &reports).await;

    assert_eq!(outcomes(&verdicts)[5], Some(Outcome::AlreadyCancelled));
    assert_eq!(unchanged(&verdicts), 99);
    assert_eq!(store.history(reports[5].id).await.unwrap().len(), 1, "it grows by one");
}

pub(crate) async fn a_text_that_the_database_does_not_take_fails_alone(database: &TestDatabase) {
    let store = database.open().await;
    database
        .edit(match database {
            TestDatabase::Sqlite(_) => {
                "CREATE TRIGGER no_gate BEFORE INSERT ON incidents WHEN NEW.location_id = 'gate'
                BEGIN SELECT RAISE(ABORT, 'no'); END"
            }
            TestDatabase::Postgres(_) => "ALTER TABLE incidents ADD CHECK (location_id <> 'gate')",
        })
        .await;
    let limits = QueueLimits::DEFAULT;
    let committer = Committer::start(&store, &Clock::system(), &Arc::new(Metrics::default()), limits);
    let committer = Arc::new(committer);

    let pair = vec![elsewhere(&report("bob", 0)), report("bob", 1)];
    let verdicts = committer.commit(pair, Duration::ZERO).await.expect("an answer");
    assert!(matches!(verdicts[..], [Err(ItemError::Refused { .. }), Ok(_)]), "{verdicts:?}");

    let mut committing = JoinSet::new();
    for number in 0..REPORTS * 3 {
        let committer = Arc::clone(&committer);
        let guilty = number == 150;
        let item = if guilty { elsewhere(&report("alice", number)) } else { report("alice", number) };
        committing.spawn(async move {
            let verdict = committer
                .commit(vec![item], Duration::ZERO)
                .await
                .expect("an answer")
                .pop()
                .expect("a verdict");
            let alone =
                if guilty { matches!(verdict, Err(ItemError::Refused { .. })) } else { verdict.is_ok() };
            assert!(alone, "{verdict:?}");
        });
    }
    committing.join_all().await;

    assert_eq!(listed(&*store).await.len(), 300);
}
