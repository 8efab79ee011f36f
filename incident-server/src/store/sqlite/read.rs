//! What the reading routes ask; readers never wait for the writer.

use incident_core::{Event, IncidentId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::store::{
    ChangePage, Horizon, IncidentPage, ListQuery, Position, Series, StoreError, StoredIncident,
    record::{change_page, events, incident_page, stored_incident},
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

const HISTORY: &str = "
    SELECT position, kind, at_ms, cancellation_reason AS event_reason
    FROM history
    WHERE incident_id = ?
    ORDER BY position";

pub(super) async fn incident(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Option<StoredIncident>, StoreError> {
    let row = sqlx::query("SELECT * FROM incidents WHERE id = ?")
        .bind(&id.as_bytes()[..])
        .fetch_optional(connection)
        .await?;
    Ok(row.as_ref().map(stored_incident).transpose()?)
}

pub(super) async fn incidents(
    connection: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<IncidentPage, StoreError> {
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
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(query.rows());
    Ok(incident_page(&sql.build().fetch_all(connection).await?, query))
}

pub(super) async fn history(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query(HISTORY).bind(&id.as_bytes()[..]).fetch_all(connection).await?;
    Ok(events(&rows))
}

/// There is one writer, so positions are given out in commit order.
pub(super) async fn changes(
    connection: &mut SqliteConnection,
    after: Position,
    limit: i64,
) -> Result<ChangePage, StoreError> {
    let rows = sqlx::query(CHANGES).bind(after.0).bind(limit).fetch_all(connection).await?;
    Ok(change_page(&rows, after))
}

pub(super) async fn horizon(connection: &mut SqliteConnection) -> Result<Horizon, StoreError> {
    let (series, newest) =
        sqlx::query_as("SELECT series, (SELECT coalesce(max(position), 0) FROM history) FROM installation")
            .fetch_one(connection)
            .await?;
    Ok(Horizon { series: Series(series), settled: Position(newest), newest: Position(newest) })
}
