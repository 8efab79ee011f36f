//! What belongs to the database and to no incident: the series of its feed, the id secret's fingerprint.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::sessions::Sessions;
use crate::store::StoreError;

/// Begins a series on a new database, and on one that was copied from another: a dump read in elsewhere, a cluster
/// made anew. A cluster that was set back in time cannot be told from the one that it was; the documents have the
/// statement for it.
const BEGIN_SERIES: &str = "
    INSERT INTO installation (series, home)
    SELECT
        floor(random() * 9007199254740992)::bigint,
        (SELECT system_identifier FROM pg_control_system()) || '/' || oid
    FROM pg_database
    WHERE datname = current_database()
    ON CONFLICT (id) DO UPDATE
    SET series = excluded.series,
        home = excluded.home
    WHERE installation.home <> excluded.home";

/// The first server's fingerprint stays: another that runs already may store incidents at any time.
const REMEMBER: &str = "
    UPDATE installation
    SET id_secret_fingerprint = $1
    WHERE id_secret_fingerprint IS NULL";

const IS_KNOWN: &str = "SELECT id_secret_fingerprint = $1 AS is_known FROM installation";
const HOLDS_INCIDENTS: &str = "SELECT EXISTS (SELECT FROM incidents) AS holds_incidents";

pub(super) async fn knows_secret(sessions: &Sessions, fingerprint: &[u8]) -> Result<bool, StoreError> {
    sessions.run(|| sqlx::query(REMEMBER).bind(fingerprint)).await?;
    answer(&sessions.run(|| sqlx::query(IS_KNOWN).bind(fingerprint)).await?)
}

pub(super) async fn holds_incidents(sessions: &Sessions) -> Result<bool, StoreError> {
    answer(&sessions.run(|| sqlx::query(HOLDS_INCIDENTS)).await?)
}

fn answer(rows: &[PgRow]) -> Result<bool, StoreError> {
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Ok(row.try_get(0)?)
}

pub(super) async fn begin_series(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(BEGIN_SERIES).execute(session).await.map(drop)
}
