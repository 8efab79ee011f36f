//! Rows on their way into the database: two arrays of rows, so a statement takes a whole batch.

use std::collections::HashMap;

use incident_core::{CancellationReason, Column, Event, INCIDENT_COLUMNS, IncidentId};
use sqlx::{
    Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgArguments, PgHasArrayType, PgTypeInfo, types::PgRecordEncoder},
    query::Query,
};
use uuid::Uuid;

use crate::store::{
    fold::{Changed, Folded},
    migrations::GIVEN_INCIDENT,
};

pub(super) fn uuid(id: IncidentId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

/// The first and the last of some ids in their order; of none, a range with nothing in it.
pub(super) fn range(ids: &[Uuid]) -> (Uuid, Uuid) {
    (ids.first().copied().unwrap_or(Uuid::max()), ids.last().copied().unwrap_or(Uuid::nil()))
}

/// What a batch writes.
pub(super) struct Given<'a> {
    /// In the order of their ids.
    incidents: Vec<GivenIncident<'a>>,
    /// In the order in which they happened.
    events: Vec<GivenEvent<'a>>,
}

impl<'a> Given<'a> {
    pub(super) fn new(folded: &'a Folded, seen: &HashMap<IncidentId, i16>) -> Self {
        let mut steps: HashMap<IncidentId, i16> = HashMap::with_capacity(folded.changed.len());
        for (id, _) in &folded.events {
            *steps.entry(*id).or_default() += 1;
        }
        let incident = |(id, changed): (&IncidentId, &'a Changed)| {
            let seen = seen.get(id).copied().unwrap_or(0);
            let version = seen.saturating_add(steps.get(id).copied().unwrap_or(0));
            let Changed { reporter, incident } = changed;
            GivenIncident { id: uuid(*id), seen, version, columns: incident.columns(reporter) }
        };
        let incidents = folded.changed.iter().map(incident).collect();
        let events = folded.events.iter().map(|(id, event)| GivenEvent { id: uuid(*id), event }).collect();
        Self { incidents, events }
    }

    /// Binds the arrays in the order in which the statement names them.
    pub(super) fn bind<'q>(
        &'q self,
        statement: Query<'q, Postgres, PgArguments>,
    ) -> Query<'q, Postgres, PgArguments> {
        let ids: Vec<Uuid> = self.incidents.iter().map(|given| given.id).collect();
        let (first, last) = range(&ids);
        statement.bind(&self.incidents).bind(&self.events).bind(first).bind(last)
    }
}

/// The row of an incident as it shall be.
pub(super) struct GivenIncident<'a> {
    pub(super) id: Uuid,
    /// The version that must be stored; 0: nothing may be.
    pub(super) seen: i16,
    pub(super) version: i16,
    pub(super) columns: [Column<'a>; INCIDENT_COLUMNS.len()],
}

impl Type<Postgres> for GivenIncident<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name(GIVEN_INCIDENT)
    }
}

impl PgHasArrayType for GivenIncident<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of(GIVEN_INCIDENT)
    }
}

impl Encode<'_, Postgres> for GivenIncident<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let mut row = PgRecordEncoder::new(buffer);
        row.encode(self.id)?.encode(self.seen)?.encode(self.version)?;
        for column in self.columns {
            match column {
                Column::Boolean(value) => row.encode(value)?,
                Column::Integer(value) => row.encode(value)?,
                Column::BigInteger(value) => row.encode(value)?,
                Column::Text(value) => row.encode(value)?,
            };
        }
        row.finish();
        Ok(IsNull::No)
    }
}

/// The row of something that happened.
struct GivenEvent<'a> {
    id: Uuid,
    event: &'a Event,
}

impl Type<Postgres> for GivenEvent<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("given_event")
    }
}

impl PgHasArrayType for GivenEvent<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::array_of("given_event")
    }
}

impl Encode<'_, Postgres> for GivenEvent<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let change = &self.event.change;
        let mut row = PgRecordEncoder::new(buffer);
        row.encode(self.id)?
            .encode(self.event.at.unix_ms())?
            .encode(change.kind().as_str())?
            .encode(change.reason().map(CancellationReason::as_str))?
            .finish();
        Ok(IsNull::No)
    }
}
