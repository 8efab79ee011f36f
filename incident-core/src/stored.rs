//! What a database is given, and what it gives back: the one door that trusts.
//!
//! Rules are applied to what comes in, once. What is stored is believed, whoever wrote it: a rule that is stricter
//! today, a hand in the database or a text that was made unreadable for privacy must not hide a report. So only types
//! are asked for here: a moment that can be written, a word that is known.

use serde::Serialize;

use crate::{
    Cancellation, CancellationReason, Change, Coordinates, Event, EventKind, Facts, Incident, LocationId,
    Reporter, RoomNumber, State, Stored, Timestamp, Tombstone,
};

/// A column holds what is no value of its type; named as the column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the column {0} holds no value of its type")]
pub struct ColumnError(pub &'static str);

/// The columns of an incident that are written, in the order in which a database is given them. A new one comes last.
pub const INCIDENT_COLUMNS: [&str; 11] = [
    "is_anonymous",
    "clock_suspect",
    "longitude_e7",
    "latitude_e7",
    "created_at_ms",
    "received_at_ms",
    // This column alone says whether the incident is cancelled.
    "cancelled_at_ms",
    "location_id",
    "room_number",
    "reporter",
    // The first reason; where it was taken away, the incident is cancelled for an empty one.
    "cancellation_reason",
];

/// What stands in a column, for a database to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Column<'a> {
    /// True or false.
    Boolean(bool),
    /// 32 bits: degrees in 1e-7.
    Integer(i32),
    /// 64 bits: milliseconds since 1970.
    BigInteger(Option<i64>),
    /// A text.
    Text(Option<&'a str>),
}

impl Incident {
    /// What stands in each of [`INCIDENT_COLUMNS`]; its reporter only where it is not anonymous.
    pub fn columns<'a>(&'a self, reporter: &'a Reporter) -> [Column<'a>; INCIDENT_COLUMNS.len()] {
        let facts = &self.facts;
        let cancellation = match &self.state {
            State::Open => None,
            State::Cancelled(cancellation) => Some(cancellation),
        };
        [
            Column::Boolean(facts.is_anonymous),
            Column::Boolean(self.clock_suspect),
            Column::Integer(facts.gps_coordinates.longitude_e7()),
            Column::Integer(facts.gps_coordinates.latitude_e7()),
            Column::BigInteger(Some(facts.created_at.unix_ms())),
            Column::BigInteger(Some(self.received_at.unix_ms())),
            Column::BigInteger(cancellation.map(|cancellation| cancellation.at.unix_ms())),
            Column::Text(Some(facts.location_id.as_str())),
            Column::Text(facts.room_number.as_ref().map(RoomNumber::as_str)),
            Column::Text((!facts.is_anonymous).then(|| reporter.as_str())),
            Column::Text(cancellation.map(|cancellation| cancellation.reason.as_str())),
        ]
    }
}

impl Tombstone {
    /// What stands in each of [`INCIDENT_COLUMNS`] once the incident was erased: two moments and nothing else. It has
    /// a cancellation, so that no index of open incidents leads to it.
    pub fn columns(&self) -> [Column<'static>; INCIDENT_COLUMNS.len()] {
        [
            Column::Boolean(false),
            Column::Boolean(false),
            Column::Integer(0),
            Column::Integer(0),
            Column::BigInteger(Some(self.created_at.unix_ms())),
            Column::BigInteger(Some(0)),
            Column::BigInteger(Some(self.erased_at.unix_ms())),
            Column::Text(Some("")),
            Column::Text(None),
            Column::Text(None),
            Column::Text(Some("")),
        ]
    }
}

/// A row of an incident as a database gives it, whose columns are asked for by name.
///
/// Each method fails where the column holds no value of its type.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait IncidentRow {
    /// True or false.
    fn boolean(&self, column: &'static str) -> Result<bool, ColumnError>;
    /// 32 bits.
    fn integer(&self, column: &'static str) -> Result<i32, ColumnError>;
    /// 64 bits.
    fn big_integer(&self, column: &'static str) -> Result<Option<i64>, ColumnError>;
    /// A text.
    fn text(&self, column: &'static str) -> Result<Option<String>, ColumnError>;
}

impl Stored {
    /// The incident, or what is left of it; `restated` are the further reasons of its history, oldest first.
    ///
    /// `erased_at_ms` alone says whether it was erased; then no other column but `created_at_ms` is looked at.
    ///
    /// # Errors
    /// The first column that holds no value of its type.
    pub fn read(row: &impl IncidentRow, restated: Vec<String>) -> Result<Self, ColumnError> {
        let created_at = required_moment(row, "created_at_ms")?;
        Ok(match optional_moment(row, "erased_at_ms")? {
            Some(erased_at) => Tombstone { created_at, erased_at }.into(),
            None => Incident {
                facts: facts(row, created_at)?,
                received_at: required_moment(row, "received_at_ms")?,
                clock_suspect: row.boolean("clock_suspect")?,
                state: state(row, restated)?,
            }
            .into(),
        })
    }
}

fn facts(row: &impl IncidentRow, created_at: Timestamp) -> Result<Facts, ColumnError> {
    let location_id = row.text("location_id")?.ok_or(ColumnError("location_id"))?;
    Ok(Facts {
        location_id: LocationId::believed(location_id),
        room_number: row.text("room_number")?.map(RoomNumber::believed),
        gps_coordinates: Coordinates::believed(row.integer("longitude_e7")?, row.integer("latitude_e7")?),
        is_anonymous: row.boolean("is_anonymous")?,
        created_at,
    })
}

fn state(row: &impl IncidentRow, restated: Vec<String>) -> Result<State, ColumnError> {
    Ok(match optional_moment(row, "cancelled_at_ms")? {
        None => State::Open,
        Some(at) => State::Cancelled(Cancellation {
            at,
            reason: reason(row.text("cancellation_reason")?),
            restated: restated.into_iter().map(CancellationReason::believed).collect(),
        }),
    })
}

/// The columns of a row of the history, as a database gives them.
#[derive(Debug, Clone)]
pub struct EventColumns {
    /// An [`EventKind`].
    pub kind: String,
    /// In milliseconds since 1970.
    pub at_ms: i64,
    /// The reason of a cancellation; where it was taken away, it is an empty one.
    pub cancellation_reason: Option<String>,
}

impl EventColumns {
    /// The event.
    ///
    /// # Errors
    /// The first column that holds no value of its type.
    pub fn event(self) -> Result<Event, ColumnError> {
        let change = match self.kind.parse().map_err(|_| ColumnError("kind"))? {
            EventKind::Created => Change::Created,
            EventKind::Cancelled => Change::Cancelled(reason(self.cancellation_reason)),
            EventKind::CancellationRestated => Change::CancellationRestated(reason(self.cancellation_reason)),
            EventKind::Erased => Change::Erased,
        };
        Ok(Event { at: moment("at_ms", self.at_ms)?, change })
    }
}

fn optional_moment(row: &impl IncidentRow, column: &'static str) -> Result<Option<Timestamp>, ColumnError> {
    row.big_integer(column)?.map(|unix_ms| moment(column, unix_ms)).transpose()
}

fn required_moment(row: &impl IncidentRow, column: &'static str) -> Result<Timestamp, ColumnError> {
    optional_moment(row, column)?.ok_or(ColumnError(column))
}

fn moment(column: &'static str, unix_ms: i64) -> Result<Timestamp, ColumnError> {
    Timestamp::from_unix_ms(unix_ms).map_err(|_| ColumnError(column))
}

fn reason(text: Option<String>) -> CancellationReason {
    CancellationReason::believed(text.unwrap_or_default())
}
