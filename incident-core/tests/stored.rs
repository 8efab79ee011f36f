//! What a database is given is what it gives back, and what it gives back is believed.

use std::collections::HashMap;

use incident_core::{
    Change, Column, ColumnError, Draft, EventColumns, INCIDENT_COLUMNS, Incident, IncidentRow, Reporter,
    Status, Stored, SyncPayload, Timestamp, Tombstone,
};

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
