//! What the reading routes ask.

use incident_core::{Event, IncidentId, LocationId, Status};

use super::{columns::uuid, sessions::Sessions, statements::incident_columns};
use crate::store::{
    IncidentPage, ListQuery, StoreError, StoredIncident,
    record::{events, incident_page, stored_incident},
};

const INCIDENT: &str = concat!("SELECT ", incident_columns!(), " FROM incidents WHERE incidents.id = $1");
/// Planned anew every time, so a filter that is not asked for is not there.
const INCIDENTS: &str = concat!(
    "SELECT ",
    incident_columns!(),
    "
    FROM incidents
    WHERE incidents.id >= $1
        AND incidents.id < $2
        AND ($3::text IS NULL OR reporter = $3)
        AND ($4::text IS NULL OR location_id = $4)
        AND ($5::boolean IS NULL OR (cancelled_at_ms IS NOT NULL) = $5)
    ORDER BY incidents.id DESC
    LIMIT $6"
);
const HISTORY: &str = "
    SELECT position, kind, at_ms, cancellation_reason AS event_reason
    FROM history
    WHERE incident_id = $1
    ORDER BY position";

pub(super) async fn incident(
    sessions: &Sessions,
    id: IncidentId,
) -> Result<Option<StoredIncident>, StoreError> {
    let found = sessions.run(|| sqlx::query(INCIDENT).bind(uuid(id))).await?;
    Ok(found.first().map(stored_incident).transpose()?)
}

pub(super) async fn incidents(sessions: &Sessions, query: &ListQuery) -> Result<IncidentPage, StoreError> {
    let (first, end) = query.id_range();
    let list = || {
        sqlx::query(INCIDENTS)
            .bind(uuid(first))
            .bind(uuid(end))
            .bind(query.reporter.as_ref().map(|reporter| reporter.as_str()))
            .bind(query.location_id.as_ref().map(LocationId::as_str))
            .bind(query.status.map(|status| status == Status::Cancelled))
            .bind(query.rows())
    };
    Ok(incident_page(&sessions.run(list).await?, query))
}

pub(super) async fn history(sessions: &Sessions, id: IncidentId) -> Result<Vec<Event>, StoreError> {
    Ok(events(&sessions.run(|| sqlx::query(HISTORY).bind(uuid(id))).await?))
}
