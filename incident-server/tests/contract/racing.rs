//! Several servers, the same incidents, at once.

use std::sync::Arc;

use incident_core::{Change, MAX_RESTATED_REASONS, Outcome, Status};
use incident_server::store::{Store, SyncItem};
use tokio::task::JoinSet;

use crate::support::{
    database::TestDatabase,
    report::{cancelled, outcome, outcomes, report, sync},
};

const SERVERS: usize = 3;

/// Sends every batch to a server in turn, all at once, and returns the outcomes of all.
async fn at_once(servers: &[Arc<dyn Store>], batches: Vec<Vec<SyncItem>>) -> Vec<Option<Outcome>> {
    let mut running = JoinSet::new();
    for (number, batch) in batches.into_iter().enumerate() {
        let server = Arc::clone(&servers[number % servers.len()]);
        running.spawn(async move { outcomes(&sync(&*server, &batch).await) });
    }
    running.join_all().await.into_iter().flatten().collect()
}

fn count(outcomes: &[Option<Outcome>], wanted: Outcome) -> usize {
    outcomes.iter().filter(|outcome| **outcome == Some(wanted)).count()
}

pub(crate) async fn of_many_copies_at_once_one_creates_and_the_others_change_nothing(
    database: &TestDatabase,
) {
    let servers = database.servers(SERVERS).await;
    for round in 0..20 {
        let copies = vec![vec![report("alice", round)]; 30];
        let outcomes = at_once(&servers, copies).await;
        assert_eq!(count(&outcomes, Outcome::Created), 1, "round {round}");
        assert_eq!(count(&outcomes, Outcome::Unchanged), 29, "round {round}");
    }
}

pub(crate) async fn servers_with_the_same_incidents_in_opposite_orders_settle_all(database: &TestDatabase) {
    let servers = database.servers(SERVERS).await;
    for round in 0..10 {
        let forwards: Vec<_> = (0..100).map(|number| report("alice", round * 100 + number)).collect();
        let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
        let calling_off = |batch: &[SyncItem]| batch.iter().map(|item| cancelled(item, "x")).collect();
        let created = at_once(&servers, vec![forwards.clone(), backwards.clone(), forwards.clone()]).await;
        let ended = at_once(&servers, vec![calling_off(&backwards), calling_off(&forwards), backwards]).await;
        assert_eq!((count(&created, Outcome::Created), count(&created, Outcome::Unchanged)), (100, 200));
        assert_eq!((count(&ended, Outcome::Cancelled), count(&ended, Outcome::Unchanged)), (100, 200));
    }
}

pub(crate) async fn of_many_reasons_at_once_one_cancels_and_the_others_are_kept(database: &TestDatabase) {
    let servers = database.servers(SERVERS).await;
    let one = report("alice", 0);
    sync(&*servers[0], std::slice::from_ref(&one)).await;
    let reasons: Vec<_> =
        (0..40).map(|number| vec![cancelled(&one, &format!("reason {}", number % 20))]).collect();

    let outcomes = at_once(&servers, reasons).await;

    assert_eq!(count(&outcomes, Outcome::Cancelled), 1);
    // The same reason as the first one changes nothing; all others are restated.
    assert_eq!(count(&outcomes, Outcome::Unchanged), 1);
    assert_eq!(count(&outcomes, Outcome::AlreadyCancelled), 38);
    let history = servers[1].history(one.id).await.unwrap();
    assert_eq!(history.len(), 2 + MAX_RESTATED_REASONS);
    let mut reasons: Vec<_> = history.iter().filter_map(|event| event.change.reason()).collect();
    reasons.sort_by_key(|reason| reason.as_str().to_owned());
    reasons.dedup();
    assert_eq!(reasons.len(), 1 + MAX_RESTATED_REASONS, "each distinct one once");
}

pub(crate) async fn a_creation_and_its_cancellation_at_once_end_cancelled(database: &TestDatabase) {
    let servers = database.servers(SERVERS).await;
    for round in 0..30 {
        let one = report("alice", round);
        let off = cancelled(&one, "false alarm");
        let outcomes =
            at_once(&servers, vec![vec![one.clone()], vec![off.clone()], vec![off, one.clone()]]).await;
        let created = count(&outcomes, Outcome::Created) + count(&outcomes, Outcome::CreatedAndCancelled);
        assert_eq!(created, 1, "round {round}: {outcomes:?}");
        let stored = servers[2].incident(one.id).await.unwrap().unwrap().incident;
        assert_eq!(stored.kept().unwrap().state.status(), Status::Cancelled);
        let history = servers[0].history(one.id).await.unwrap();
        assert!(matches!(history[0].change, Change::Created) && history.len() == 2, "round {round}");
        assert_eq!(outcome(&*servers[1], &one).await, Some(Outcome::Unchanged));
    }
}
