//! The laws of merging: what may happen to an incident, in any order, any number of times.

#[path = "strategies/mod.rs"]
#[expect(dead_code, reason = "each suite uses its part")]
mod strategies;

use incident_core::{
    Applied, Change, ConflictError, Coordinates, Event, Facts, Field, Incident, LocationId,
    MAX_RESTATED_REASONS, Outcome, RoomNumber, State, Status, Stored, SyncPayload, Timestamp,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use strategies::{facts, reason, timestamp};

/// Everything that happened to one incident, as a store would keep it.
#[derive(Default)]
struct Ledger {
    incident: Option<Stored>,
    history: Vec<Event>,
}

impl Ledger {
    fn sync(&mut self, payload: &SyncPayload, now: Timestamp) -> Result<Outcome, ConflictError> {
        let Applied { incident, outcome, events } = Incident::apply(self.incident.clone(), payload, now)?;
        self.incident = Some(incident);
        self.history.extend(events);
        Ok(outcome)
    }

    /// Erases it, if it is there.
    fn erase(&mut self, now: Timestamp) -> Option<Outcome> {
        let erasure = self.incident.as_ref()?.erase(now);
        if erasure.outcome == Outcome::Erased {
            self.incident = Some(erasure.tombstone.into());
            self.history = vec![erasure.tombstone.event()];
        }
        Some(erasure.outcome)
    }

    fn kept(&self) -> &Incident {
        self.incident.as_ref().and_then(Stored::kept).expect("it is there and not erased")
    }

    fn status(&self) -> Option<Status> {
        self.incident.as_ref()?.kept().map(|incident| incident.state.status())
    }
}

/// Payloads of one incident: the same facts, with no reason or one of a few.
fn payloads() -> impl Strategy<Value = Vec<SyncPayload>> {
    (facts(), vec(reason(), 1..4)).prop_flat_map(|(facts, reasons)| {
        vec(option::of(select(reasons)), 1..12).prop_map(move |reasons| {
            let payload = |cancellation_reason| SyncPayload { facts: facts.clone(), cancellation_reason };
            reasons.into_iter().map(payload).collect()
        })
    })
}

fn reason_of(text: &str) -> incident_core::CancellationReason {
    incident_core::CancellationReason::parse(text).unwrap()
}

fn sample_facts() -> Facts {
    let text = br#"{"locationId":"w","gpsCoordinates":{"type":"Point","coordinates":[1,2]},"isAnonymous":false,"createdAt":"2026-11-22T10:15Z"}"#;
    incident_core::decode(text).unwrap().payload.facts
}

proptest! {
    #[test]
    fn a_replay_changes_nothing(payloads in payloads(), now in timestamp(), later in timestamp()) {
        let mut ledger = Ledger::default();
        for payload in &payloads {
            ledger.sync(payload, now).unwrap();
        }
        let (incident, events) = (ledger.incident.clone(), ledger.history.len());
        for payload in &payloads {
            let outcome = ledger.sync(payload, later).unwrap();
            prop_assert!(matches!(outcome, Outcome::Unchanged | Outcome::AlreadyCancelled));
        }
        prop_assert_eq!(ledger.incident, incident);
        prop_assert_eq!(ledger.history.len(), events);
    }

    #[test]
    fn any_order_ends_in_the_same_status(payloads in payloads(), seed in any::<u64>(), now in timestamp()) {
        let mut shuffled = payloads.clone();
        let mut state = seed;
        for i in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, usize::try_from(state >> 33).unwrap() % (i + 1));
        }
        let end = |payloads: &[SyncPayload]| {
            let mut ledger = Ledger::default();
            for payload in payloads {
                ledger.sync(payload, now).unwrap();
            }
            ledger.status()
        };
        prop_assert_eq!(end(&payloads), end(&shuffled));
    }

    #[test]
    fn there_is_no_way_back_from_cancelled_and_the_first_reason_stays(payloads in payloads(), now in timestamp()) {
        let mut ledger = Ledger::default();
        let mut first = None;
        for payload in &payloads {
            ledger.sync(payload, now).unwrap();
            first = first.or_else(|| payload.cancellation_reason.clone());
            match (&ledger.kept().state, &first) {
                (State::Open, None) => {}
                (State::Cancelled(cancellation), Some(first)) => prop_assert_eq!(&cancellation.reason, first),
                (state, first) => prop_assert!(false, "{:?} with first reason {:?}", state, first),
            }
        }
    }

    #[test]
    fn the_history_only_grows_and_tells_each_reason_once(payloads in payloads(), now in timestamp()) {
        let mut ledger = Ledger::default();
        for payload in &payloads {
            let before = ledger.history.clone();
            ledger.sync(payload, now).unwrap();
            prop_assert_eq!(&ledger.history[..before.len()], &before[..]);
        }
        let reasons: Vec<_> = ledger.history.iter().filter_map(|event| event.change.reason()).collect();
        prop_assert_eq!(&ledger.history[0].change, &Change::Created);
        prop_assert!(reasons.iter().enumerate().all(|(i, reason)| !reasons[..i].contains(reason)));
    }

    #[test]
    fn no_order_of_payloads_and_erasures_ever_brings_one_back(
        steps in vec(option::weighted(0.8, 0..64_usize), 1..40),
        payloads in payloads(),
        others in facts(),
        now in timestamp(),
        later in timestamp(),
    ) {
        let mut ledger = Ledger::default();
        let mut erased = None;
        for step in steps {
            let before = ledger.incident.clone();
            let clock = if erased.is_some() { later } else { now };
            match step {
                None => {
                    let expected = before.is_some().then_some(match &erased {
                        Some(_) => Outcome::Unchanged,
                        None => Outcome::Erased,
                    });
                    prop_assert_eq!(ledger.erase(clock), expected);
                    erased = erased.or_else(|| ledger.incident.clone());
                }
                Some(at) => {
                    let mut payload = payloads[at % payloads.len()].clone();
                    // Some bring other facts, which a kept incident refuses.
                    if at % 5 == 0 { payload.facts = others.clone(); }
                    let outcome = ledger.sync(&payload, clock);
                    if erased.is_some() { prop_assert_eq!(outcome, Ok(Outcome::Erased)); }
                }
            }
            if let Some(erased) = &erased {
                prop_assert_eq!(ledger.incident.as_ref(), Some(erased));
                prop_assert_eq!(ledger.history.len(), 1);
                prop_assert_eq!(&ledger.history[0].change, &Change::Erased);
            }
        }
    }

    #[test]
    fn what_is_left_of_named_and_anonymous_ones_is_alike(facts in facts(), now in timestamp(), later in timestamp()) {
        let left = |is_anonymous| {
            let facts = Facts { is_anonymous, ..facts.clone() };
            let payload = SyncPayload { facts, cancellation_reason: None };
            Incident::apply(None, &payload, now).unwrap().incident.erase(later).tombstone
        };
        prop_assert_eq!(left(true), left(false));
        prop_assert_eq!(left(true).created_at, facts.created_at);
        prop_assert_eq!(left(true).erased_at, later.to_the_minute());
    }

    #[test]
    fn other_facts_are_a_conflict_that_names_exactly_what_differs(one in facts(), other in facts(), now in timestamp()) {
        let payload = |facts: &Facts| SyncPayload { facts: facts.clone(), cancellation_reason: None };
        let stored = Incident::apply(None, &payload(&one), now).unwrap().incident;
        match Incident::apply(Some(stored), &payload(&other), now) {
            Ok(applied) => prop_assert!(one == other && applied.events.is_empty()),
            Err(conflict) => prop_assert_eq!(conflict.fields, one.differences(&other)),
        }
    }
}

#[test]
fn one_field_that_differs_is_a_conflict_that_names_it() {
    let stored = sample_facts;
    for (field, facts) in [
        (Field::LocationId, Facts { location_id: LocationId::parse("v").unwrap(), ..stored() }),
        (Field::RoomNumber, Facts { room_number: RoomNumber::parse("12B").ok(), ..stored() }),
        (Field::GpsCoordinates, Facts { gps_coordinates: Coordinates::from_e7(1, 2).unwrap(), ..stored() }),
        (Field::IsAnonymous, Facts { is_anonymous: true, ..stored() }),
        (Field::CreatedAt, Facts { created_at: Timestamp::MIN, ..stored() }),
    ] {
        let mut ledger = Ledger::default();
        let payload = |facts| SyncPayload { facts, cancellation_reason: None };
        ledger.sync(&payload(stored()), Timestamp::MIN).unwrap();
        let refused = ledger.sync(&payload(facts), Timestamp::MIN);
        assert_eq!(refused, Err(ConflictError { fields: vec![field] }));
    }
}

#[test]
fn sixteen_further_reasons_are_kept_and_no_more() {
    let mut ledger = Ledger::default();
    for n in 0..40 {
        let payload = SyncPayload {
            facts: sample_facts(),
            cancellation_reason: Some(reason_of(&format!("{}", n % 20))),
        };
        ledger.sync(&payload, Timestamp::MIN).unwrap();
    }
    assert_eq!(ledger.history.len(), 2 + MAX_RESTATED_REASONS);
}

#[test]
fn a_clock_is_suspect_beyond_five_minutes_ahead_or_before_2020() {
    let suspect = |created_at: &str, now: &str| {
        let facts = Facts { created_at: created_at.parse().unwrap(), ..sample_facts() };
        let payload = SyncPayload { facts, cancellation_reason: None };
        let applied = Incident::apply(None, &payload, now.parse().unwrap()).unwrap();
        applied.incident.kept().unwrap().clock_suspect
    };
    assert!(!suspect("2026-11-22T10:05:00.000Z", "2026-11-22T10:00:00.000Z"));
    assert!(suspect("2026-11-22T10:05:00.001Z", "2026-11-22T10:00:00.000Z"));
    assert!(suspect("2019-12-31T23:59:59.999Z", "2026-11-22T10:00:00.000Z"));
    assert!(!suspect("2020-01-01T00:00:00.000Z", "2026-11-22T10:00:00.000Z"));
}

#[test]
fn of_an_anonymous_incident_only_the_minutes_are_kept() {
    let [received, cancelled, restated]: [Timestamp; 3] =
        ["2026-11-22T10:16:59.999Z", "2026-11-22T10:17:30.5Z", "2026-11-22T10:18:00.001Z"]
            .map(|t| t.parse().unwrap());
    let mut ledger = Ledger::default();
    let facts = Facts { is_anonymous: true, ..sample_facts() };
    for (reason, now) in [(None, received), (Some("a"), cancelled), (Some("b"), restated)] {
        let payload = SyncPayload { facts: facts.clone(), cancellation_reason: reason.map(reason_of) };
        ledger.sync(&payload, now).unwrap();
    }
    let incident = ledger.kept();
    let State::Cancelled(cancellation) = &incident.state else { panic!("open") };
    let at: Vec<_> = ledger.history.iter().map(|event| event.at.to_string()).collect();
    let minutes = ["2026-11-22T10:16:00.000Z", "2026-11-22T10:17:00.000Z", "2026-11-22T10:18:00.000Z"];
    assert_eq!(at, minutes);
    assert_eq!([incident.received_at.to_string(), cancellation.at.to_string()], [minutes[0], minutes[1]]);
}
