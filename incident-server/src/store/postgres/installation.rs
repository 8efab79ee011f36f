//! What belongs to the database and to no incident: the series of its feed.

use sqlx::PgConnection;

/// Begins a series on a new database, and on one that was copied from another: a dump read in elsewhere, a cluster
/// made anew. A cluster that was set back in time cannot be told from the one that it was; the documents have the
/// statement for it.
const SETTLE: &str = "
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

pub(super) async fn settle(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query(SETTLE).execute(session).await.map(drop)
}
