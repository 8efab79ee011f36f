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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::{Draft, Status, SyncPayload};

    /// A row as it is written, in which single columns can be changed.
    #[derive(Clone)]
    struct Row(HashMap<&'static str, Column<'static>>);

    impl Row {
        fn new(columns: &[Column<'static>; INCIDENT_COLUMNS.len()]) -> Self {
            Self(INCIDENT_COLUMNS.into_iter().zip(columns.iter().copied()).collect())
        }

        fn with(mut self, column: &'static str, value: Column<'static>) -> Self {
            self.0.insert(column, value);
            self
        }

        fn incident(&self) -> Result<Incident, ColumnError> {
            Stored::read(self, Vec::new()).map(|stored| stored.kept().unwrap().clone())
        }
    }

    impl IncidentRow for Row {
        fn boolean(&self, column: &'static str) -> Result<bool, ColumnError> {
            if let Column::Boolean(value) = self.0[column] { Ok(value) } else { Err(ColumnError(column)) }
        }
        fn integer(&self, column: &'static str) -> Result<i32, ColumnError> {
            if let Column::Integer(value) = self.0[column] { Ok(value) } else { Err(ColumnError(column)) }
        }
        fn big_integer(&self, column: &'static str) -> Result<Option<i64>, ColumnError> {
            match self.0.get(column) {
                None => Ok(None),
                Some(Column::BigInteger(value)) => Ok(*value),
                Some(_) => Err(ColumnError(column)),
            }
        }
        fn text(&self, column: &'static str) -> Result<Option<String>, ColumnError> {
            match self.0[column] {
                Column::Text(value) => Ok(value.map(str::to_owned)),
                _ => Err(ColumnError(column)),
            }
        }
    }

    fn row() -> Row {
        let cancelled = SyncPayload::from_draft(
            &Draft {
                room_number: Some("12B".to_owned()),
                cancellation_reason: Some("false alarm".to_owned()),
                ..Draft::new("ward-7", 12.5, 41.9)
            },
            7,
        );
        let applied = Incident::apply(None, &cancelled.unwrap(), Timestamp::MIN).unwrap();
        let incident: &'static Incident = Box::leak(Box::new(applied.incident.kept().unwrap().clone()));
        Row::new(&incident.columns(Box::leak(Box::new(Reporter::parse("alice").unwrap()))))
    }

    fn ms(unix_ms: i64) -> Column<'static> {
        Column::BigInteger(Some(unix_ms))
    }

    #[test]
    fn what_is_written_is_read_back() {
        let incident = row().incident().unwrap();
        let alice = Reporter::parse("alice").unwrap();
        let written: Vec<_> = incident.columns(&alice).map(|column| format!("{column:?}")).into();
        assert_eq!(written, INCIDENT_COLUMNS.map(|column| format!("{:?}", row().0[column])));
        assert_eq!(incident.facts.room_number.as_ref().unwrap().as_str(), "12B");
        assert_eq!((incident.facts.created_at.unix_ms(), incident.clock_suspect), (7, true));
        assert_eq!(row().0["reporter"], Column::Text(Some("alice")));
    }

    #[test]
    fn an_anonymous_incident_is_written_without_its_reporter() {
        let mut incident = row().incident().unwrap();
        incident.facts.is_anonymous = true;
        let bob = Reporter::parse("bob").unwrap();
        assert!(!incident.columns(&bob).contains(&Column::Text(Some("bob"))));
    }

    #[test]
    fn of_an_erased_incident_nothing_but_two_moments_is_looked_at() {
        let tombstone =
            Tombstone { created_at: Timestamp::MIN, erased_at: Timestamp::from_unix_ms(60_000).unwrap() };
        let erased = Row::new(&tombstone.columns()).with("erased_at_ms", ms(60_000));
        assert_eq!(Stored::read(&erased, Vec::new()), Ok(tombstone.into()));
        let odd = erased.clone().with("received_at_ms", ms(i64::MAX));
        assert_eq!(Stored::read(&odd, Vec::new()), Ok(tombstone.into()));
        let never = erased.with("erased_at_ms", ms(i64::MIN));
        assert_eq!(Stored::read(&never, Vec::new()), Err(ColumnError("erased_at_ms")));
        let event = EventColumns { kind: "erased".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(event.event().unwrap().change, Change::Erased);
    }

    #[test]
    fn texts_and_places_that_no_payload_may_have_are_believed() {
        let long = "\u{7}".repeat(1000).leak();
        let row = row()
            .with("location_id", Column::Text(Some(long)))
            .with("room_number", Column::Text(Some(" ")))
            .with("longitude_e7", Column::Integer(i32::MIN));
        let facts = row.incident().unwrap().facts;
        assert_eq!(facts.location_id.as_str().len(), 1000);
        assert_eq!(facts.room_number.unwrap().as_str(), " ");
        assert_eq!(facts.gps_coordinates.longitude_e7(), i32::MIN);
    }

    #[test]
    fn a_cancellation_whose_reason_was_taken_away_is_still_one() {
        let redacted = row().with("cancellation_reason", Column::Text(None));
        assert_eq!(redacted.incident().unwrap().state.status(), Status::Cancelled);
        let event = EventColumns { kind: "cancelled".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(event.event().unwrap().change.reason().unwrap().as_str(), "");
    }

    #[test]
    fn what_is_no_moment_or_no_known_word_is_named_by_its_column() {
        let never = row().with("received_at_ms", ms(i64::MAX));
        assert_eq!(never.incident(), Err(ColumnError("received_at_ms")));
        let unknown = EventColumns { kind: "vanished".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(unknown.event(), Err(ColumnError("kind")));
    }
}
