//! The one transaction that writes. Statements take a whole batch as JSON, so their number is constant.

use incident_core::{CancellationReason, Event, IncidentId, RoomNumber, State, Stored, Timestamp};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::store::{
    RowError, StoreError, SyncItem, Verdict,
    fold::{Changed, Folded, Known, fold, ids},
    record::{StoredRow, incident},
};

const BEGIN_AND_LOOK: &str = "
    BEGIN IMMEDIATE;
    SELECT
        incidents.*,
        CASE WHEN cancelled_at_ms IS NOT NULL THEN (
            SELECT json_group_array(history.cancellation_reason ORDER BY history.position)
            FROM history
            WHERE history.incident_id = incidents.id
                AND history.kind = 'cancellationRestated'
        ) ELSE '[]' END AS restated
    FROM incidents
    WHERE id IN (SELECT unhex(value) FROM json_each(?1))";

const WRITE_AND_COMMIT: &str = "
    INSERT INTO incidents (
        id, reporter, location_id, room_number, longitude_e7, latitude_e7, is_anonymous,
        created_at_ms, received_at_ms, clock_suspect, cancelled_at_ms, cancellation_reason
    )
    SELECT
        unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6,
        value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11
    FROM jsonb_each(?1)
    WHERE true
    ON CONFLICT (id) DO UPDATE SET
        cancelled_at_ms = excluded.cancelled_at_ms,
        cancellation_reason = excluded.cancellation_reason;

    INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3
    FROM jsonb_each(?2)
    WHERE true
    ORDER BY key;

    COMMIT";

pub(super) async fn sync(
    connection: &mut SqliteConnection,
    batch: &[SyncItem],
    now: Timestamp,
) -> Result<Vec<Verdict>, StoreError> {
    let known = look(connection, ids(batch)).await?;
    let Folded { verdicts, changed, events } = fold(known, batch, now);
    if events.is_empty() {
        sqlx::query("COMMIT").execute(connection).await?;
        return Ok(verdicts);
    }
    let changed: Vec<_> = changed.iter().map(|(id, changed)| row(*id, changed)).collect();
    let events: Vec<_> = events.iter().map(|(id, event)| history_row(*id, event)).collect();
    sqlx::query(WRITE_AND_COMMIT).bind(json(&changed)).bind(json(&events)).execute(connection).await?;
    Ok(verdicts)
}

/// Begins a transaction and says what is stored.
pub(super) async fn look(
    connection: &mut SqliteConnection,
    ids: Vec<IncidentId>,
) -> Result<Known, StoreError> {
    let ids: Vec<_> = ids.into_iter().map(hex).collect();
    let rows = sqlx::query::<sqlx::Sqlite>(BEGIN_AND_LOOK).bind(json(&ids)).fetch_all(connection).await?;
    rows.iter().map(known).collect()
}

fn known(row: &SqliteRow) -> Result<(IncidentId, Result<Stored, RowError>), StoreError> {
    let id = row.id("id")?;
    Ok((id, restated(row, id).and_then(|restated| incident(row, id, restated))))
}

fn restated(row: &SqliteRow, id: IncidentId) -> Result<Vec<Option<String>>, RowError> {
    let text: Result<&str, _> = row.try_get("restated");
    let fault =
        || RowError { table: "history", column: "cancellation_reason".to_owned(), id: id.to_string() };
    text.ok().and_then(|text| serde_json::from_str(text).ok()).ok_or_else(fault)
}

fn row(id: IncidentId, Changed { reporter, incident }: &Changed) -> impl Serialize + use<'_> {
    let facts = &incident.facts;
    let cancellation = match &incident.state {
        State::Open => None,
        State::Cancelled(cancellation) => Some((cancellation.at.unix_ms(), cancellation.reason.as_str())),
    };
    (
        hex(id),
        (!facts.is_anonymous).then(|| reporter.as_str()),
        facts.location_id.as_str(),
        facts.room_number.as_ref().map(RoomNumber::as_str),
        facts.gps_coordinates.longitude_e7(),
        facts.gps_coordinates.latitude_e7(),
        facts.is_anonymous,
        facts.created_at.unix_ms(),
        incident.received_at.unix_ms(),
        incident.clock_suspect,
        cancellation.map(|(at, _)| at),
        cancellation.map(|(_, reason)| reason),
    )
}

fn history_row(id: IncidentId, event: &Event) -> impl Serialize + use<'_> {
    let reason = event.change.reason().map(CancellationReason::as_str);
    (hex(id), event.change.kind(), event.at.unix_ms(), reason)
}

pub(super) fn hex(id: IncidentId) -> String {
    id.to_string().replace('-', "")
}

pub(super) fn json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("rows of text and integers serialise")
}
