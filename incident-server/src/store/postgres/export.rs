//! A page of everything.

use std::{str::FromStr, sync::LazyLock};

use incident_core::IncidentId;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    connect::{self, Use},
    given::uuid,
    statements::incident_columns,
};
use crate::store::{
    OpenError, StoreError,
    export_page::{ExportPage, PAGE},
    record::{ends, export_page},
};

const ONE_STATE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(super) static INCIDENTS: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT {columns}
    FROM incidents
    WHERE incidents.id > $1
    ORDER BY incidents.id
    LIMIT $2",
        columns = incident_columns(),
    )
});

pub(super) const HISTORY: &str = "
    SELECT
        uuid_send(incident_id) AS incident_id,
        position,
        kind,
        at_ms,
        cancellation_reason AS event_reason
    FROM history
    WHERE history.incident_id BETWEEN $1 AND $2";

pub(in crate::store) async fn open(url: &str) -> Result<PgConnection, OpenError> {
    let options = connect::plain(PgConnectOptions::from_str(url).map_err(OpenError::unusable)?);
    Ok(connect::connect_for(&options, Use::Read).await?.connection)
}

pub(in crate::store) async fn page(
    session: &mut PgConnection,
    after: IncidentId,
) -> Result<ExportPage, StoreError> {
    let mut state = session.begin_with(ONE_STATE).await?;
    let incidents =
        sqlx::query(INCIDENTS.as_str()).bind(uuid(after)).bind(PAGE).fetch_all(&mut *state).await?;
    let Some((first, last)) = ends(&incidents)? else { return Ok(ExportPage::default()) };
    let history = sqlx::query(HISTORY).bind(uuid(first)).bind(uuid(last)).fetch_all(&mut *state).await?;
    state.commit().await?;
    Ok(export_page(&incidents, &history, last))
}
