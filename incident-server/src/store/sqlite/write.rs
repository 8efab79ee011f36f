//! The one transaction that writes: two executions, whatever the size of the batch.

use std::{collections::BTreeMap, sync::LazyLock};

use incident_core::{
    CancellationReason, Change, Column, Event, INCIDENT_COLUMNS, IncidentId, Stored, Timestamp,
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    listing::{next_portion, write_portion},
    script::{Given, Script},
    unlisted::{Portion, Unlisted},
};
use crate::store::{
    RowError, StoreError, SyncItem, Verdict, columns,
    fold::{Changed, Folded, Known, fold, ids},
    record::{StoredRow, incident},
};

static LOOK: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
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
    WHERE id IN ",
        columns = columns::read(),
    )
});

static WRITE_INCIDENTS: LazyLock<String> = LazyLock::new(|| {
    let columns = columns::written();
    format!(
        "
    INSERT INTO incidents (id, {columns})
    SELECT * FROM "
    )
});

/// A row of NULL is none.
pub(super) const WHERE_GIVEN: &str = " WHERE column1 IS NOT NULL;";

const OR_CANCEL: &str = "
    WHERE column1 IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET
        cancelled_at_ms = excluded.cancelled_at_ms,
        cancellation_reason = excluded.cancellation_reason;
";

pub(super) const WRITE_EVENTS: &str = "
    INSERT INTO history (incident_id, kind, at_ms, cancellation_reason)
    SELECT * FROM ";

pub(super) async fn sync(
    connection: &mut SqliteConnection,
    batch: &[SyncItem],
    now: Timestamp,
    unlisted: &Unlisted,
) -> Result<Vec<Verdict>, StoreError> {
    let known = look(connection, &ids(batch)).await?;
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
    let mut script = Script::default().for_rows(&WRITE_INCIDENTS, &changed, OR_CANCEL).for_rows(
        WRITE_EVENTS,
        &events,
        WHERE_GIVEN,
    );
    if let Some(portion) = portion {
        script = write_portion(script, portion);
    }
    script.then("COMMIT").execute(connection).await
}

/// Begins a transaction and says what is stored.
pub(super) async fn look(connection: &mut SqliteConnection, ids: &[IncidentId]) -> Result<Known, StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| (*id, [])).collect();
    let look = Script::default().then("BEGIN IMMEDIATE;").for_rows(&LOOK, &ids, ";");
    look.fetch_all(connection).await?.iter().map(known).collect()
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

fn row(id: IncidentId, Changed { reporter, incident }: &Changed) -> Given<'_, { INCIDENT_COLUMNS.len() }> {
    (id, incident.columns(reporter))
}

fn event_row((id, event): &(IncidentId, Event)) -> Given<'_, 3> {
    let (kind, at_ms) = (event.change.kind().as_str(), event.at.unix_ms());
    let reason = event.change.reason().map(CancellationReason::as_str);
    (*id, [Column::Text(Some(kind)), Column::BigInteger(Some(at_ms)), Column::Text(reason)])
}
