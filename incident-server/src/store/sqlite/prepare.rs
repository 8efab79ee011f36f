//! A file is made ready before it is served: made, migrated, looked at.

use std::{fs::OpenOptions, os::unix::fs::OpenOptionsExt, path::Path};

use sqlx::{SqliteConnection, migrate::MigrateError};

use crate::store::{OpenError, migrations};

/// The first release without the WAL-reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SAFE: (u32, u32, u32) = (3, 51, 3);
const EDGES: &str = "
    SELECT
        (SELECT min(id) FROM incidents),
        (SELECT max(id) FROM incidents),
        (SELECT min(reporter) FROM list_by_reporter),
        (SELECT max(reporter) FROM list_by_reporter),
        (SELECT min(location_id) FROM list_of_open_by_location),
        (SELECT max(location_id) FROM list_of_open_by_location),
        (SELECT min(position) FROM history),
        (SELECT max(position) FROM history),
        (SELECT min(incident_id) FROM history INDEXED BY history_by_incident),
        (SELECT max(incident_id) FROM history INDEXED BY history_by_incident)";

/// The migrator's own table is the first that is made.
const IS_FOREIGN: &str = "
    SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%')
        AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";

/// Makes the file for its owner only, if it is missing; SQLite gives its side files the same permissions.
pub(super) fn make_private(file: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    made.map(drop).map_err(|source| OpenError::File { file: file.to_owned(), source })
}

pub(super) async fn check_version(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()")
        .fetch_one(connection)
        .await
        .map_err(OpenError::unusable)?;
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SAFE { Err(OpenError::OldSqlite(version)) } else { Ok(()) }
}

/// # Errors
/// The tables in it are another program's, in which ours would stand from now on.
pub(super) async fn refuse_foreign(connection: &mut SqliteConnection, file: &Path) -> Result<(), OpenError> {
    let is_foreign: bool = sqlx::query_scalar(IS_FOREIGN)
        .fetch_one(connection)
        .await
        .map_err(|error| OpenError::from_file(error, file))?;
    if is_foreign { Err(OpenError::Foreign(file.to_owned())) } else { Ok(()) }
}

pub(super) async fn migrate(writer: &mut SqliteConnection) -> Result<(), MigrateError> {
    let done = sqlx::query_scalar("SELECT count(*) FROM _sqlx_migrations").fetch_one(&mut *writer).await;
    // No table: a new file, on which all takes no time.
    if done.is_ok_and(|done: i64| {
        usize::try_from(done).is_ok_and(|done| done < migrations::SQLITE.iter().count())
    }) {
        tracing::info!("the tables are brought up to date; with millions of incidents that takes a minute");
    }
    migrations::SQLITE.run(writer).await
}

/// Reads the first and the last page of every table and its indexes: a file that was cut or overwritten shows.
pub(super) async fn check_edges(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query(EDGES).execute(writer).await.map(drop)
}

#[cfg(test)]
mod tests {
    use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

    use super::{super::SqliteStore, *};

    #[tokio::test]
    async fn another_programs_database_is_refused_and_stays_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut other = SqliteConnectOptions::new().filename(file.path()).connect().await.unwrap();
        sqlx::query("CREATE TABLE users (name TEXT)").execute(&mut other).await.unwrap();

        let refused = SqliteStore::open_file(file.path()).await.err();

        assert!(matches!(refused, Some(OpenError::Foreign(_))), "{refused:?}");
        let tables = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM sqlite_schema");
        assert_eq!(tables.fetch_one(&mut other).await.unwrap(), 1);
    }
}
