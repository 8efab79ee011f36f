//! The file written anew without gaps: copies of pages that held what was erased are gone then.
//!
//! `VACUUM` in the write-ahead log, so readers go on; writers wait, and the server answers 503 where that takes long.

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::fs::{Access, access};
use sqlx::{Connection, Row, SqliteConnection};
use tokio::time::sleep;

use super::{
    backup::{connect, options},
    copy_error::{CopyError, code, unreadable},
    log_again::write_log_again,
    side_files::refuse_seemingly_empty,
};

/// How long to wait for readers to end, so that the log can be emptied.
const PATIENCE: Duration = Duration::from_secs(60);
/// SQLite's code for a disk without room.
const FULL: u32 = 13;
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
    sqlx::query("VACUUM").execute(&mut session).await.map_err(|error| not_written(database, error))?;
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

fn not_written(database: &Path, error: sqlx::Error) -> CopyError {
    if code(&error) != Some(FULL) {
        return unreadable(database)(error);
    }
    let bytes = fs::metadata(database).map_or(0, |found| found.len());
    CopyError::Full { file: database.to_owned(), mib: bytes.div_ceil(1 << 20), temporary: temporary() }
}

/// As SQLite chooses it on Unix.
fn temporary() -> PathBuf {
    let named = ["SQLITE_TMPDIR", "TMPDIR"].into_iter().filter_map(env::var_os).map(PathBuf::from);
    let usual = ["/var/tmp", "/usr/tmp", "/tmp"].map(PathBuf::from);
    let is_usable = |directory: &PathBuf| {
        directory.is_dir() && access(directory, Access::WRITE_OK | Access::EXEC_OK).is_ok()
    };
    named.chain(usual).find(is_usable).unwrap_or_else(|| ".".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_room_both_places_are_told() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut session = connect(&options(file.path()), file.path()).await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut session).await.unwrap();

        let full = sqlx::query("CREATE TABLE new (one)").execute(&mut session).await.unwrap_err();

        let said = not_written(file.path(), full).to_string();
        assert!(said.contains("no room to write") && said.contains("SQLITE_TMPDIR"), "{said}");
    }
}
