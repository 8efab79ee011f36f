//! A page of everything.

use std::sync::LazyLock;

use incident_core::IncidentId;
use sqlx::{Connection, SqliteConnection};

use super::read::SELECT;
use crate::store::{
    StoreError,
    export_page::{ExportPage, PAGE},
    record::{ends, export_page},
};

static INCIDENTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    {select}
    FROM incidents
    WHERE id > ?
    ORDER BY id
    LIMIT ?",
        select = *SELECT,
    )
});

const HISTORY: &str = "
    SELECT incident_id, position, kind, at_ms, cancellation_reason AS event_reason
    FROM history
    WHERE incident_id BETWEEN ? AND ?
    ORDER BY incident_id, position";

pub(in crate::store) async fn page(
    session: &mut SqliteConnection,
    after: IncidentId,
) -> Result<ExportPage, StoreError> {
    let mut state = session.begin().await?;
    let incidents = sqlx::query(INCIDENTS.as_str()).bind(&after.as_bytes()[..]).bind(PAGE);
    let incidents = incidents.fetch_all(&mut *state).await?;
    let Some((first, last)) = ends(&incidents)? else { return Ok(ExportPage::default()) };
    let history = sqlx::query(HISTORY).bind(&first.as_bytes()[..]).bind(&last.as_bytes()[..]);
    let history = history.fetch_all(&mut *state).await?;
    state.commit().await?;
    Ok(export_page(&incidents, &history, last))
}
