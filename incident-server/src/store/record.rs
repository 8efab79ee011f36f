//! Stored columns to core types: what the database holds is parsed like anything else from outside.

use incident_core::{
    Cancellation, CancellationReason, Change, Coordinates, Event, EventKind, Facts, Incident, IncidentId,
    LocationId, RoomNumber, State, Timestamp,
};

use super::{Position, StoreError, StoredChange, StoredIncident};

/// The columns of an incident, as both databases give them.
#[derive(sqlx::FromRow)]
pub(super) struct IncidentRecord {
    id: Vec<u8>,
    reporter: Option<String>,
    location_id: String,
    room_number: Option<String>,
    longitude_e7: i32,
    latitude_e7: i32,
    is_anonymous: bool,
    created_at_ms: i64,
    received_at_ms: i64,
    clock_suspect: bool,
    cancelled_at_ms: Option<i64>,
    cancellation_reason: Option<String>,
}

impl IncidentRecord {
    pub(super) fn id(&self) -> Result<IncidentId, StoreError> {
        valid("id", <[u8; 16]>::try_from(&self.id[..])).map(IncidentId::from_bytes)
    }

    /// The incident for a reading route, which has no use for further reasons.
    pub(super) fn stored(self) -> Result<StoredIncident, StoreError> {
        Ok(StoredIncident { id: self.id()?, incident: self.incident(&[])?, reporter: self.reporter })
    }

    /// The incident; `restated` are its further reasons, oldest first.
    pub(super) fn incident(&self, restated: &[String]) -> Result<Incident, StoreError> {
        let facts = Facts {
            location_id: valid("location_id", LocationId::parse(&self.location_id))?,
            room_number: valid(
                "room_number",
                self.room_number.as_deref().map(RoomNumber::parse).transpose(),
            )?,
            gps_coordinates: Coordinates::from_e7(self.longitude_e7, self.latitude_e7)
                .ok_or(StoreError::InvalidRow("coordinates"))?,
            is_anonymous: self.is_anonymous,
            created_at: moment("created_at_ms", self.created_at_ms)?,
        };
        let received_at = moment("received_at_ms", self.received_at_ms)?;
        Ok(Incident { facts, received_at, clock_suspect: self.clock_suspect, state: self.state(restated)? })
    }

    fn state(&self, restated: &[String]) -> Result<State, StoreError> {
        match (self.cancelled_at_ms, &self.cancellation_reason) {
            (None, None) => Ok(State::Open),
            (Some(at), Some(first)) => Ok(State::Cancelled(Cancellation {
                at: moment("cancelled_at_ms", at)?,
                reason: reason(first)?,
                restated: restated.iter().map(|text| reason(text)).collect::<Result<_, _>>()?,
            })),
            _ => Err(StoreError::InvalidRow("cancellation")),
        }
    }
}

/// The columns of a history row, as both databases give them.
#[derive(sqlx::FromRow)]
pub(super) struct EventRecord {
    kind: String,
    at_ms: i64,
    cancellation_reason: Option<String>,
}

impl EventRecord {
    pub(super) fn event(&self) -> Result<Event, StoreError> {
        let change = match (valid("kind", self.kind.parse())?, &self.cancellation_reason) {
            (EventKind::Created, None) => Change::Created,
            (EventKind::Cancelled, Some(text)) => Change::Cancelled(reason(text)?),
            (EventKind::CancellationRestated, Some(text)) => Change::CancellationRestated(reason(text)?),
            _ => return Err(StoreError::InvalidRow("cancellation_reason of an event")),
        };
        Ok(Event { at: moment("at_ms", self.at_ms)?, change })
    }
}

/// A history row beside its incident.
#[derive(sqlx::FromRow)]
pub(super) struct ChangeRecord {
    position: i64,
    kind: String,
    at_ms: i64,
    event_reason: Option<String>,
    #[sqlx(flatten)]
    incident: IncidentRecord,
}

impl ChangeRecord {
    pub(super) fn change(self) -> Result<StoredChange, StoreError> {
        let event =
            EventRecord { kind: self.kind, at_ms: self.at_ms, cancellation_reason: self.event_reason }
                .event()?;
        Ok(StoredChange { position: Position(self.position), event, incident: self.incident.stored()? })
    }
}

fn valid<T, E>(column: &'static str, parsed: Result<T, E>) -> Result<T, StoreError> {
    parsed.map_err(|_| StoreError::InvalidRow(column))
}

fn moment(column: &'static str, unix_ms: i64) -> Result<Timestamp, StoreError> {
    valid(column, Timestamp::from_unix_ms(unix_ms))
}

fn reason(text: &str) -> Result<CancellationReason, StoreError> {
    valid("cancellation_reason", CancellationReason::parse(text))
}
