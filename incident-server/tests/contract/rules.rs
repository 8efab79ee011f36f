//! What a sync does: the merge rules of the core, on a database.

use std::collections::HashMap;

use incident_core::{
    Applied, CancellationReason, Coordinates, EventKind, Field, Incident, IncidentId, LocationId, Outcome,
    RoomNumber, State, Stored,
};
use incident_server::store::{ItemError, Position, Store, SyncItem, Verdict};

use crate::support::{
    database::TestDatabase,
    report::{cancelled, elsewhere, moment, outcome, outcomes, report, sync},
};

pub(crate) async fn every_row_of_the_contracts_table_does_what_it_says(database: &TestDatabase) {
    let store = database.open().await;
    let (open, at_once) = (report("alice", 0), cancelled(&report("alice", 1), "false alarm"));
    let steps = [
        (open.clone(), Some(Outcome::Created)),
        (open.clone(), Some(Outcome::Unchanged)),
        (cancelled(&open, "false alarm"), Some(Outcome::Cancelled)),
        (cancelled(&open, "false alarm"), Some(Outcome::Unchanged)),
        (open.clone(), Some(Outcome::Unchanged)),
        (cancelled(&open, "a drill"), Some(Outcome::AlreadyCancelled)),
        (cancelled(&open, "a drill"), Some(Outcome::AlreadyCancelled)),
        (elsewhere(&open), None),
        (at_once.clone(), Some(Outcome::CreatedAndCancelled)),
        (report("alice", 1), Some(Outcome::Unchanged)),
    ];
    for (number, (step, expected)) in steps.into_iter().enumerate() {
        assert_eq!(outcome(&*store, &step).await, expected, "step {number}");
    }
    assert_eq!(kinds(&*store, open.id).await, ["created", "cancelled", "cancellationRestated"]);
    assert_eq!(kinds(&*store, at_once.id).await, ["created", "cancelled"]);
}

pub(crate) async fn a_conflict_names_its_fields_and_changes_nothing(database: &TestDatabase) {
    let store = database.open().await;
    let first = report("alice", 0);
    let mut other = elsewhere(&first);
    other.payload.facts.is_anonymous = true;

    let verdicts = sync(&*store, &[first.clone(), cancelled(&other, "no"), report("alice", 1)]).await;

    assert_eq!(differing(&verdicts[1]), [Field::LocationId, Field::IsAnonymous]);
    assert_eq!(outcomes(&verdicts), [Some(Outcome::Created), None, Some(Outcome::Created)]);
    assert_eq!(differing(&sync(&*store, &[other]).await[0]).len(), 2);
    assert_eq!(kept(&*store, first.id).await.state, State::Open);
    assert_eq!(kinds(&*store, first.id).await, ["created"]);
}

fn differing(verdict: &Verdict) -> &[Field] {
    match verdict {
        Err(ItemError::Conflict(conflict)) => &conflict.fields,
        other => panic!("no conflict: {other:?}"),
    }
}

pub(crate) async fn one_incident_many_times_in_a_batch_ends_as_its_last_word(database: &TestDatabase) {
    let store = database.open().await;
    let one = report("alice", 0);
    let mut batch = vec![one.clone(); 200];
    batch.extend([
        cancelled(&one, "x"),
        one.clone(),
        cancelled(&one, "y"),
        elsewhere(&one),
        cancelled(&one, "y"),
    ]);

    let verdicts = outcomes(&sync(&*store, &batch).await);

    assert_eq!(verdicts[0], Some(Outcome::Created));
    assert!(verdicts[1..200].iter().all(|outcome| *outcome == Some(Outcome::Unchanged)));
    let (unchanged, already) = (Some(Outcome::Unchanged), Some(Outcome::AlreadyCancelled));
    assert_eq!(verdicts[200..], [Some(Outcome::Cancelled), unchanged, already, None, already]);
    assert_eq!(kinds(&*store, one.id).await, ["created", "cancelled", "cancellationRestated"]);
}

/// A seeded walk over a few incidents, batch by batch, beside the core's own memory of them.
pub(crate) async fn a_batch_does_what_its_payloads_would_do_alone(database: &TestDatabase) {
    let store = database.open().await;
    let mut remembered = HashMap::<IncidentId, Stored>::new();
    let mut random = Random(42);
    for batch_number in 0..60 {
        let batch: Vec<_> = (0..=random.below(20)).map(|_| any_step(&mut random)).collect();
        let expected: Vec<_> = batch
            .iter()
            .map(|item| {
                let applied =
                    Incident::apply(remembered.get(&item.id).cloned(), &item.payload, moment(60_000));
                applied.map_err(ItemError::from).map(|Applied { incident, outcome, .. }| {
                    remembered.insert(item.id, incident.clone());
                    (incident, outcome)
                })
            })
            .collect();
        assert_eq!(sync(&*store, &batch).await, expected, "batch {batch_number}");
        if batch_number % 9 == 8 {
            erase_one(&*store, &mut remembered, &mut random).await;
        }
    }
}

/// Erases one, in the database and in the memory of it.
async fn erase_one(store: &dyn Store, remembered: &mut HashMap<IncidentId, Stored>, random: &mut Random) {
    let id = any_step(random).id;
    let expected = remembered.get(&id).map(|stored| stored.erase(moment(90_000)));
    let erased = store.erase(&[id], moment(90_000)).await.unwrap();
    assert_eq!(erased.first().map(|one| one.tombstone), expected.map(|erasure| erasure.tombstone));
    assert_eq!(erased.first().map(|one| one.outcome), expected.map(|erasure| erasure.outcome));
    if let Some(erasure) = expected {
        remembered.insert(id, erasure.tombstone.into());
    }
}

fn any_step(random: &mut Random) -> SyncItem {
    let report = report(["alice", "bob"][random.below(2)], i64::try_from(random.below(12)).unwrap());
    match random.below(6) {
        0 | 1 => cancelled(&report, &format!("reason {}", random.below(20))),
        2 => elsewhere(&report),
        _ => report,
    }
}

/// `SplitMix64` (Steele, Lea, Flood 2014): enough for a walk that is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % end as u64).unwrap()
    }
}

pub(crate) async fn seventeen_other_reasons_leave_sixteen_in_the_history(database: &TestDatabase) {
    let store = database.open().await;
    let one = report("alice", 0);
    let reasons: Vec<_> = (0..18).map(|number| cancelled(&one, &format!("reason {number}"))).collect();
    for reason in &reasons {
        sync(&*store, std::slice::from_ref(reason)).await;
    }
    assert_eq!(outcome(&*store, &reasons[17]).await, Some(Outcome::AlreadyCancelled));
    assert_eq!(kinds(&*store, one.id).await.len(), 2 + 16);
}

pub(crate) async fn an_anonymous_incident_is_stored_without_its_reporter(database: &TestDatabase) {
    let store = database.open().await;
    let named = report("alice", 0);
    let mut anonymous = report("alice", 1);
    anonymous.payload.facts.is_anonymous = true;
    sync(&*store, &[named.clone(), anonymous.clone()]).await;
    assert_eq!(store.incident(named.id).await.unwrap().unwrap().reporter.as_deref(), Some("alice"));
    assert_eq!(store.incident(anonymous.id).await.unwrap().unwrap().reporter, None);
    assert_eq!(outcome(&*store, &anonymous).await, Some(Outcome::Unchanged));
}

pub(crate) async fn of_the_times_of_an_anonymous_incident_the_minute_is_stored(database: &TestDatabase) {
    let store = database.open().await;
    let mut created = report("alice", 0);
    created.payload.facts.is_anonymous = true;
    let steps = [
        (created.clone(), 90_001),
        (cancelled(&created, "false alarm"), 200_002),
        (cancelled(&created, "a drill"), 359_999),
    ];
    for (step, ms) in steps {
        store.sync(&[step, report("bob", ms)], moment(ms)).await.unwrap();
    }

    let stored = kept(&*store, created.id).await;
    let State::Cancelled(cancellation) = &stored.state else { panic!("it is cancelled: {stored:?}") };
    assert_eq!((stored.received_at, cancellation.at), (moment(60_000), moment(180_000)));
    let minutes = [60_000, 180_000, 300_000].map(moment);
    let history = store.history(created.id).await.unwrap();
    assert_eq!(history.iter().map(|event| event.at).collect::<Vec<_>>(), minutes);
    let changes = store.changes(Position::START, 100).await.unwrap();
    let (anonymous, named): (Vec<_>, Vec<_>) = changes
        .changes
        .iter()
        .partition(|change| change.incident.incident.kept().unwrap().facts.is_anonymous);
    assert_eq!(anonymous.iter().map(|change| change.event.at).collect::<Vec<_>>(), minutes);
    assert_eq!(
        named.iter().map(|change| change.event.at).collect::<Vec<_>>(),
        [90_001, 200_002, 359_999].map(moment),
        "those of named ones are kept whole"
    );
}

pub(crate) async fn what_was_written_is_there_after_a_restart(database: &TestDatabase) {
    let one = cancelled(&report("alice", 0), "false alarm");
    let before = database.open().await;
    let written = sync(&*before, std::slice::from_ref(&one)).await[0].clone().unwrap().0;
    before.close().await;

    let after = database.open().await;

    assert_eq!(after.incident(one.id).await.unwrap().unwrap().incident, written);
    assert_eq!(outcome(&*after, &one).await, Some(Outcome::Unchanged));
    after.ready().await.unwrap();
}

pub(crate) async fn the_longest_texts_and_widest_numbers_come_back_as_they_were(database: &TestDatabase) {
    let store = database.open().await;
    let mut one = report(&"🚑".repeat(255), 0);
    let facts = &mut one.payload.facts;
    facts.location_id = LocationId::parse(&"Ω".repeat(128)).unwrap();
    facts.room_number = Some(RoomNumber::parse(&"'\"\\{},é".repeat(9)).unwrap());
    facts.gps_coordinates = Coordinates::from_degrees(-180.0, 90.0).unwrap();
    let reason = "𝒳\n\t".repeat(333) + "x";
    one.payload.cancellation_reason = Some(CancellationReason::parse(&reason).unwrap());

    let written = sync(&*store, std::slice::from_ref(&one)).await[0].clone().unwrap().0;

    let stored = store.incident(one.id).await.unwrap().unwrap();
    assert_eq!(stored.incident, written);
    assert_eq!(stored.reporter.as_deref(), Some(one.reporter.as_str()));
    assert_eq!(outcome(&*store, &one).await, Some(Outcome::Unchanged));
}

async fn kept(store: &dyn Store, id: IncidentId) -> Incident {
    store.incident(id).await.unwrap().unwrap().incident.kept().unwrap().clone()
}

async fn kinds(store: &dyn Store, id: IncidentId) -> Vec<&'static str> {
    let history = store.history(id).await.expect("the database answers");
    history.iter().map(|event| EventKind::as_str(event.change.kind())).collect()
}
