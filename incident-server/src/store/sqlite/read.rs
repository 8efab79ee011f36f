//! What the reading routes ask; readers never wait for the writer.

use incident_core::{Event, IncidentId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::store::{
    Horizon, ListQuery, Position, Series, StoreError, StoredChange, StoredIncident,
    record::{ChangeRecord, EventRecord, IncidentRecord},
};

const CHANGES: &str = "
    SELECT
        history.position,
        history.kind,
        history.at_ms,
        history.cancellation_reason AS event_reason,
        incidents.*
    FROM history
    JOIN incidents ON incidents.id = history.incident_id
    WHERE history.position > ?
    ORDER BY history.position
    LIMIT ?";

pub(super) async fn incident(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Option<StoredIncident>, StoreError> {
    let record: Option<IncidentRecord> = sqlx::query_as("SELECT * FROM incidents WHERE id = ?")
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    record.map(IncidentRecord::stored).transpose()
}

pub(super) async fn incidents(
    connection: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<Vec<StoredIncident>, StoreError> {
    let (first, end) = query.id_range();
    let mut sql = QueryBuilder::<Sqlite>::new("SELECT * FROM incidents WHERE id >= ");
    sql.push_bind(first.as_bytes().to_vec()).push(" AND id < ").push_bind(end.as_bytes().to_vec());
    if let Some(reporter) = &query.reporter {
        sql.push(" AND reporter = ").push_bind(reporter.as_str().to_owned());
    }
    if let Some(location_id) = &query.location_id {
        sql.push(" AND location_id = ").push_bind(location_id.as_str().to_owned());
    }
    match query.status {
        Some(Status::Open) => drop(sql.push(" AND cancelled_at_ms IS NULL")),
        Some(Status::Cancelled) => drop(sql.push(" AND cancelled_at_ms IS NOT NULL")),
        None => {}
    }
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(query.limit);
    let records: Vec<IncidentRecord> = sql.build_query_as().fetch_all(connection).await?;
    records.into_iter().map(IncidentRecord::stored).collect()
}

pub(super) async fn history(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Vec<Event>, StoreError> {
    let records: Vec<EventRecord> = sqlx::query_as(
        "SELECT kind, at_ms, cancellation_reason FROM history WHERE incident_id = ? ORDER BY position",
    )
    .bind(&id.as_bytes()[..])
    .fetch_all(connection)
    .await?;
    records.iter().map(EventRecord::event).collect()
}

/// There is one writer, so positions are given out in commit order.
pub(super) async fn changes(
    connection: &mut SqliteConnection,
    after: Position,
    limit: i64,
) -> Result<Vec<StoredChange>, StoreError> {
    let records: Vec<ChangeRecord> =
        sqlx::query_as(CHANGES).bind(after.0).bind(limit).fetch_all(connection).await?;
    records.into_iter().map(ChangeRecord::change).collect()
}

pub(super) async fn horizon(connection: &mut SqliteConnection) -> Result<Horizon, StoreError> {
    let (series, newest) =
        sqlx::query_as("SELECT series, (SELECT coalesce(max(position), 0) FROM history) FROM installation")
            .fetch_one(connection)
            .await?;
    Ok(Horizon { series: Series(series), settled: Position(newest), newest: Position(newest) })
}
