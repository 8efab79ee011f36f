//! Stored rows to core types, one by one: a row that cannot be read costs nobody but itself.

use std::{collections::HashMap, fmt::Display};

use incident_core::{ColumnError, Event, EventColumns, IncidentId, IncidentRow, Stored};
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::{
    ChangePage, IncidentPage, ListQuery, Position, RowError, StoredChange, StoredIncident,
    export_page::ExportPage, from_row::from_row,
};

const INCIDENTS: &str = "incidents";
const HISTORY: &str = "history";

/// A row of either database, as the core asks it.
struct Columns<'r, R>(&'r R);

impl<R: Row> IncidentRow for Columns<'_, R>
where
    for<'a> &'a str: ColumnIndex<R>,
    for<'r> bool: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i32: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> String: Decode<'r, R::Database> + Type<R::Database>,
{
    fn boolean(&self, column: &'static str) -> Result<bool, ColumnError> {
        self.0.try_get(column).map_err(|_| ColumnError(column))
    }
    fn integer(&self, column: &'static str) -> Result<i32, ColumnError> {
        self.0.try_get(column).map_err(|_| ColumnError(column))
    }
    fn big_integer(&self, column: &'static str) -> Result<Option<i64>, ColumnError> {
        self.0.try_get(column).map_err(|_| ColumnError(column))
    }
    fn text(&self, column: &'static str) -> Result<Option<String>, ColumnError> {
        self.0.try_get(column).map_err(|_| ColumnError(column))
    }
}

from_row! {
    /// The columns of a history row, as both databases give them.
    pub(super) struct EventRecord {
        kind: String,
        at_ms: i64,
        event_reason: Option<String>,
    }
}

impl EventRecord {
    fn event(self) -> Result<Event, ColumnError> {
        let columns =
            EventColumns { kind: self.kind, at_ms: self.at_ms, cancellation_reason: self.event_reason };
        columns.event()
    }
}

/// A row of either database that records can be read from.
pub(super) trait StoredRow: Row {
    /// The 16 bytes of an id.
    fn id(&self, column: &str) -> Result<IncidentId, sqlx::Error>;
    fn position(&self) -> Result<Position, sqlx::Error>;
    fn reporter(&self) -> Result<Option<String>, ColumnError>;
    fn stored(&self, restated: Vec<String>) -> Result<Stored, ColumnError>;
    fn event_record(&self) -> Result<EventRecord, sqlx::Error>;
}

impl<R: Row> StoredRow for R
where
    for<'a> &'a str: ColumnIndex<R>,
    for<'r> &'r [u8]: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> i64: Decode<'r, R::Database> + Type<R::Database>,
    for<'r> Columns<'r, R>: IncidentRow,
    for<'r> EventRecord: FromRow<'r, R>,
{
    fn id(&self, column: &str) -> Result<IncidentId, sqlx::Error> {
        let bytes: &[u8] = self.try_get(column)?;
        let not_16 =
            |source| sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(source) };
        <[u8; 16]>::try_from(bytes).map(IncidentId::from_bytes).map_err(not_16)
    }

    fn position(&self) -> Result<Position, sqlx::Error> {
        self.try_get("position").map(Position)
    }

    fn reporter(&self) -> Result<Option<String>, ColumnError> {
        Columns(self).text("reporter")
    }

    fn stored(&self, restated: Vec<String>) -> Result<Stored, ColumnError> {
        Stored::read(&Columns(self), restated)
    }

    fn event_record(&self) -> Result<EventRecord, sqlx::Error> {
        EventRecord::from_row(self)
    }
}

/// The incident, with its further reasons, oldest first; one that was taken away is an empty one.
pub(super) fn incident(
    row: &impl StoredRow,
    id: IncidentId,
    restated: Vec<Option<String>>,
) -> Result<Stored, RowError> {
    let restated = restated.into_iter().map(Option::unwrap_or_default).collect();
    row.stored(restated).map_err(|column| unreadable(INCIDENTS, id, column))
}

/// The incident for a reading route, which has no use for further reasons.
pub(super) fn stored_incident(row: &impl StoredRow) -> Result<StoredIncident, RowError> {
    let id = row.id("id").map_err(|error| undecodable(INCIDENTS, "without an id", &error))?;
    let found = row.reporter().and_then(|reporter| Ok((reporter, row.stored(Vec::new())?)));
    let (reporter, incident) = found.map_err(|column| unreadable(INCIDENTS, id, column))?;
    Ok(StoredIncident { id, reporter, incident })
}

/// As many of the rows as the query asks for; one more shows that there is another page.
pub(super) fn incident_page<R: StoredRow>(rows: &[R], query: &ListQuery) -> IncidentPage {
    let shown = &rows[..rows.len().min(query.limit)];
    let last = || shown.iter().rev().find_map(|row| row.id("id").ok());
    IncidentPage {
        incidents: shown.iter().filter_map(|row| or_left_out(stored_incident(row))).collect(),
        next: if rows.len() > shown.len() { last() } else { None },
    }
}

/// The events of one incident.
pub(super) fn events<R: StoredRow>(rows: &[R]) -> Vec<Event> {
    rows.iter().filter_map(|row| or_left_out(event(row))).collect()
}

/// The changes behind `after`.
pub(super) fn change_page<R: StoredRow>(rows: &[R], after: Position) -> ChangePage {
    ChangePage {
        changes: rows.iter().filter_map(|row| or_left_out(change(row))).collect(),
        next: rows.iter().filter_map(|row| row.position().ok()).fold(after, Position::max),
    }
}

/// The first and the last id of some rows; `None` where there are no rows.
pub(super) fn ends<R: StoredRow>(rows: &[R]) -> Result<Option<(IncidentId, IncidentId)>, sqlx::Error> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(None) };
    Ok(Some((first.id("id")?, last.id("id")?)))
}

/// Incidents with the events of each, oldest first. The history may hold others', which came meanwhile.
pub(super) fn export_page<R: StoredRow>(incidents: &[R], history: &[R], last: IncidentId) -> ExportPage {
    let mut unreadable = 0;
    let mut events: HashMap<IncidentId, Vec<(Position, Event)>> = HashMap::new();
    for row in history {
        match (row.id("incident_id"), row.position(), or_left_out(event(row))) {
            (Ok(id), Ok(position), Some(event)) => events.entry(id).or_default().push((position, event)),
            _ => unreadable += 1,
        }
    }
    let mut page = ExportPage { last: Some(last), ..ExportPage::default() };
    for row in incidents {
        let Some(stored) = or_left_out(stored_incident(row)) else {
            unreadable += 1;
            continue;
        };
        let mut own = events.remove(&stored.id).unwrap_or_default();
        own.sort_unstable_by_key(|(position, _)| *position);
        page.incidents.push((stored, own.into_iter().map(|(_, event)| event).collect()));
    }
    ExportPage { unreadable, ..page }
}

fn change(row: &impl StoredRow) -> Result<StoredChange, RowError> {
    let position = row.position().map_err(|error| undecodable(HISTORY, "without a position", &error))?;
    Ok(StoredChange { position, event: event(row)?, incident: stored_incident(row)? })
}

fn event(row: &impl StoredRow) -> Result<Event, RowError> {
    let position = row.position().map_or(0, |position| position.0);
    let record = row.event_record().map_err(|error| undecodable(HISTORY, position, &error))?;
    record.event().map_err(|column| unreadable(HISTORY, position, column))
}

fn or_left_out<T>(read: Result<T, RowError>) -> Option<T> {
    read.inspect_err(|fault| tracing::error!(%fault, "a stored row is left out of an answer; correct it"))
        .ok()
}

fn unreadable(table: &'static str, id: impl Display, column: ColumnError) -> RowError {
    RowError { table, column: column.0.to_owned(), id: id.to_string() }
}

/// The driver's error names the column in quotes, and may quote the value behind it.
fn undecodable(table: &'static str, id: impl Display, error: &sqlx::Error) -> RowError {
    let column = match error {
        sqlx::Error::ColumnDecode { index, .. } => index.trim_matches('"').to_owned(),
        _ => "unknown".to_owned(),
    };
    RowError { table, column, id: id.to_string() }
}
