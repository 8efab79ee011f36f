//! Rows on their way into the database: an array a column, so a statement takes a whole batch.

use std::collections::HashMap;

use incident_core::{CancellationReason, Event, IncidentId, RoomNumber, State};
use sqlx::{Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

use crate::store::fold::{Changed, Folded};

pub(super) fn uuid(id: IncidentId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// The first and the last of some ids in their order; of none, a range with nothing in it.
pub(super) fn range(ids: &[Uuid]) -> (Uuid, Uuid) {
    (ids.first().copied().unwrap_or(Uuid::max()), ids.last().copied().unwrap_or(Uuid::nil()))
}

/// What a batch writes.
#[derive(Default)]
pub(super) struct Columns<'a> {
    ids: Vec<Uuid>,
    /// The version that must be stored; 0: nothing may be.
    seen: Vec<i16>,
    versions: Vec<i16>,
    anonymous: Vec<bool>,
    clock_suspect: Vec<bool>,
    longitudes_e7: Vec<i32>,
    latitudes_e7: Vec<i32>,
    created_at_ms: Vec<i64>,
    received_at_ms: Vec<i64>,
    cancelled_at_ms: Vec<Option<i64>>,
    location_ids: Vec<&'a str>,
    room_numbers: Vec<Option<&'a str>>,
    reporters: Vec<Option<&'a str>>,
    reasons: Vec<Option<&'a str>>,
    events: EventColumns<'a>,
}

#[derive(Default)]
struct EventColumns<'a> {
    incident_ids: Vec<Uuid>,
    at_ms: Vec<i64>,
    kinds: Vec<&'a str>,
    reasons: Vec<Option<&'a str>>,
}

impl<'a> Columns<'a> {
    /// Takes the incidents in the order of their ids, the events in theirs.
    pub(super) fn new(folded: &'a Folded, seen: &HashMap<IncidentId, i16>) -> Self {
        let mut columns = Self::default();
        let mut steps: HashMap<IncidentId, i16> = HashMap::with_capacity(folded.changed.len());
        for (id, event) in &folded.events {
            columns.events.push(*id, event);
            *steps.entry(*id).or_default() += 1;
        }
        for (id, changed) in &folded.changed {
            let seen = seen.get(id).copied().unwrap_or(0);
            let version = seen.saturating_add(steps.get(id).copied().unwrap_or(0));
            columns.push(*id, seen, version, changed);
        }
        columns
    }

    fn push(&mut self, id: IncidentId, seen: i16, version: i16, Changed { reporter, incident }: &'a Changed) {
        let facts = &incident.facts;
        self.ids.push(uuid(id));
        self.seen.push(seen);
        self.versions.push(version);
        self.anonymous.push(facts.is_anonymous);
        self.clock_suspect.push(incident.clock_suspect);
        self.longitudes_e7.push(facts.gps_coordinates.longitude_e7());
        self.latitudes_e7.push(facts.gps_coordinates.latitude_e7());
        self.created_at_ms.push(facts.created_at.unix_ms());
        self.received_at_ms.push(incident.received_at.unix_ms());
        self.location_ids.push(facts.location_id.as_str());
        self.room_numbers.push(facts.room_number.as_ref().map(RoomNumber::as_str));
        self.reporters.push((!facts.is_anonymous).then(|| reporter.as_str()));
        let cancellation = match &incident.state {
            State::Open => None,
            State::Cancelled(cancellation) => Some(cancellation),
        };
        self.cancelled_at_ms.push(cancellation.map(|cancellation| cancellation.at.unix_ms()));
        self.reasons.push(cancellation.map(|cancellation| cancellation.reason.as_str()));
    }

    /// Binds the arrays in the order in which the statement names them.
    pub(super) fn bind<'q>(
        &'q self,
        statement: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        let (first, last) = range(&self.ids);
        statement
            .bind(&self.ids)
            .bind(&self.seen)
            .bind(&self.versions)
            .bind(&self.anonymous)
            .bind(&self.clock_suspect)
            .bind(&self.longitudes_e7)
            .bind(&self.latitudes_e7)
            .bind(&self.created_at_ms)
            .bind(&self.received_at_ms)
            .bind(&self.cancelled_at_ms)
            .bind(&self.location_ids)
            .bind(&self.room_numbers)
            .bind(&self.reporters)
            .bind(&self.reasons)
            .bind(&self.events.incident_ids)
            .bind(&self.events.at_ms)
            .bind(&self.events.kinds)
            .bind(&self.events.reasons)
            .bind(first)
            .bind(last)
    }
}

impl<'a> EventColumns<'a> {
    fn push(&mut self, id: IncidentId, event: &'a Event) {
        self.incident_ids.push(uuid(id));
        self.at_ms.push(event.at.unix_ms());
        self.kinds.push(event.change.kind().as_str());
        self.reasons.push(event.change.reason().map(CancellationReason::as_str));
    }
}
