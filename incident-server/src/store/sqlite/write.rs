//! The one transaction that writes. Statements take a whole batch as JSON, so their number is constant.

use std::{collections::BTreeMap, sync::LazyLock};

use incident_core::{CancellationReason, Change, Event, IncidentId, Stored, Timestamp};
use serde::Serialize;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    listing::{WRITE_PORTION, next_portion},
    unlisted::{Portion, Unlisted},
};
use crate::store::{
    RowError, StoreError, SyncItem, Verdict,
    columns::{self, JsonRow},
    fold::{Changed, Folded, Known, fold, ids},
    record::{StoredRow, incident},
};

static BEGIN_AND_LOOK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    BEGIN IMMEDIATE;
    SELECT
        incidents.id,
        {columns},
        CASE WHEN cancelled_at_ms IS NOT NULL THEN (
            SELECT json_group_array(history.cancellation_reason ORDER BY history.position)
            FROM history
            WHERE history.incident_id = incidents.id
                AND history.kind = 'cancellationRestated'
        ) ELSE '[]' END AS restated
    FROM incidents
    WHERE id IN (SELECT unhex(value, '-') FROM json_each(?1))",
        columns = columns::read(),
    )
});

/// Its parameters have no numbers: sqlx loses count of those that a statement leaves out.
static WRITE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    INSERT INTO incidents (id, {columns})
    SELECT
        unhex(value ->> 0, '-'),
        {values}
    FROM jsonb_each(?)
    WHERE true
    ON CONFLICT (id) DO UPDATE SET
        cancelled_at_ms = excluded.cancelled_at_ms,
        cancellation_reason = excluded.cancellation_reason;

    INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
    SELECT unhex(value ->> 0, '-'), value ->> 1, value ->> 2, value ->> 3
    FROM jsonb_each(?)
    WHERE true
    ORDER BY key;
",
        columns = columns::written(),
        values = columns::each("value ->> {index}"),
    )
});

static WRITE_AND_COMMIT: LazyLock<String> = LazyLock::new(|| format!("{} COMMIT", *WRITE));
static WRITE_LIST_AND_COMMIT: LazyLock<String> =
    LazyLock::new(|| format!("{}{WRITE_PORTION} COMMIT", *WRITE));

pub(super) async fn sync(
    connection: &mut SqliteConnection,
    batch: &[SyncItem],
    now: Timestamp,
    unlisted: &Unlisted,
) -> Result<Vec<Verdict>, StoreError> {
    let known = look(connection, ids(batch)).await?;
    let Folded { verdicts, changed, events } = fold(known, batch, now);
    if events.is_empty() {
        sqlx::query("COMMIT").execute(connection).await?;
        return Ok(verdicts);
    }
    let of = |kind: fn(&Change) -> bool| {
        events.iter().filter(move |(_, event)| kind(&event.change)).map(|(id, _)| (*id, &changed[id]))
    };
    let portion = next_portion(connection, unlisted, changed.len()).await?;
    unlisted.add(of(|change| matches!(change, Change::Created)));
    write_and_commit(connection, &changed, &events, portion.as_ref()).await?;
    for (id, Changed { incident, .. }) in of(|change| matches!(change, Change::Cancelled(_))) {
        unlisted.remove_open(id, &incident.facts.location_id);
    }
    if let Some(portion) = portion {
        unlisted.is_listed(&portion);
    }
    Ok(verdicts)
}

async fn write_and_commit(
    connection: &mut SqliteConnection,
    changed: &BTreeMap<IncidentId, Changed>,
    events: &[(IncidentId, Event)],
    portion: Option<&Portion>,
) -> Result<(), StoreError> {
    let changed: Vec<_> = changed.iter().map(|(id, changed)| row(*id, changed)).collect();
    let events: Vec<_> = events.iter().map(event_row).collect();
    let sql = if portion.is_some() { &WRITE_LIST_AND_COMMIT } else { &WRITE_AND_COMMIT };
    let mut query = sqlx::query(sql.as_str()).bind(json(&changed)).bind(json(&events));
    if let Some(Portion { by_reporter, by_location, listed_to }) = portion {
        query = query.bind(json(by_reporter)).bind(json(by_location)).bind(listed_to.map_or(0, |to| to.0));
    }
    Ok(query.execute(connection).await.map(drop)?)
}

/// Begins a transaction and says what is stored.
pub(super) async fn look(
    connection: &mut SqliteConnection,
    ids: Vec<IncidentId>,
) -> Result<Known, StoreError> {
    let rows =
        sqlx::query::<sqlx::Sqlite>(BEGIN_AND_LOOK.as_str()).bind(json(&ids)).fetch_all(connection).await?;
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

fn row(id: IncidentId, Changed { reporter, incident }: &Changed) -> JsonRow<'_> {
    JsonRow { id, columns: incident.columns(reporter) }
}

fn event_row((id, event): &(IncidentId, Event)) -> impl Serialize + use<'_> {
    let reason = event.change.reason().map(CancellationReason::as_str);
    (*id, event.change.kind(), event.at.unix_ms(), reason)
}

pub(super) fn json(rows: &impl Serialize) -> String {
    serde_json::to_string(rows).expect("rows of texts and numbers serialise")
}
