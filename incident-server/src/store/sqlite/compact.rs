//! The file written anew without gaps: copies of pages that held what was erased are gone then.
//!
//! `VACUUM` in the write-ahead log, so readers go on; writers wait, and the server answers 503 where that takes long.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{Connection, Row, SqliteConnection};
use tokio::time::sleep;

use super::{
    backup::{CopyError, connect, options, unreadable},
    log_again::write_log_again,
    side_files::refuse_seemingly_empty,
};

/// How long to wait for readers to end, so that the log can be emptied.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// Writes the database anew in its place; a server may run on it.
///
/// # Errors
/// [`CopyError`]; the file is whole, and as it was or written anew.
pub(crate) async fn compact(database: &Path) -> Result<(), CopyError> {
    refuse_seemingly_empty(database)?;
    if !database.exists() {
        return Err(CopyError::Missing(database.to_owned()));
    }
    // Synced as by the server: no copy is made here that could be thrown away.
    let options = options(database).synchronous(sqlx::sqlite::SqliteSynchronous::Full);
    let mut session = connect(&options, database).await?;
    write_log_again(&mut session, database).await.map_err(unreadable(database))?;
    sqlx::query("VACUUM").execute(&mut session).await.map_err(unreadable(database))?;
    let started = Instant::now();
    while !is_log_empty(&mut session).await.map_err(unreadable(database))? {
        if started.elapsed() > PATIENCE {
            return Err(CopyError::Log(database.to_owned()));
        }
        sleep(PAUSE).await;
    }
    session.close().await.map_err(unreadable(database))
}

async fn is_log_empty(session: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(session).await?;
    Ok(row.try_get::<i64, _>(0)? == 0)
}
