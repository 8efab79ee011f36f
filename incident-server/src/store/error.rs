//! What may go wrong between this server and its database.

use std::{
    io,
    path::{Path, PathBuf},
};

use sqlx::migrate::MigrateError;

use super::sqlite::tells_corruption;

/// Why a store gave no answer. Each variant leads to another act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot answer now; whether a commit happened is unknown. Answered 503: send again.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored row breaks a rule of the core: a bug, or a hand in the database. Answered 500.
    #[error("a stored row is not valid: {0}")]
    InvalidRow(&'static str),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => Self::InvalidRow("a column's type"),
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

/// Why a database could not be opened at the start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names a database in memory, which vanishes with its connection.
    #[error("a database in memory would lose every report; give a file, such as sqlite://./incidents.sqlite")]
    InMemory,
    /// The file cannot be made or written.
    #[error(
        "cannot open the database {file:?}: {source}; name a file in a directory that is there and writable for this user"
    )]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two servers on one file would each believe that nobody else writes.
    #[error(
        "another incident-server runs on the database {}; stop it first, or give this one a --data-dir of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// What is in the file is not what SQLite wrote there.
    #[error(
        "the database {} is corrupt; restore a backup with: incident-server restore FILE", .0.display()
    )]
    Corrupt(PathBuf),
    /// The file or server cannot be used.
    #[error("the database cannot be used: {0}")]
    Unusable(#[source] sqlx::Error),
    /// The library has a known corruption bug.
    #[error("SQLite {0} may corrupt a WAL database; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// A standby, or a primary that takes no changes.
    #[error("the PostgreSQL server takes no changes (a standby?); the URL must lead to the primary")]
    ReadOnly,
    /// The server lacks settings that the store relies on.
    #[error("PostgreSQL 14 or later is needed")]
    OldPostgres,
    /// A newer version of this server has been here.
    #[error(
        "the database was brought to schema version {0} by a newer incident-server; run that version, or restore a \
         backup made before the upgrade"
    )]
    TooNew(i64),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date: {0}")]
    Migration(#[source] MigrateError),
}

impl OpenError {
    /// Whether it may be otherwise in a moment: the server is not reached, starts up, stops, or is full.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unusable(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut) => true,
            Self::Unusable(sqlx::Error::Database(error)) => {
                error.code().is_some_and(|code| ["53300", "57P01", "57P02", "57P03"].contains(&&*code))
            }
            _ => false,
        }
    }

    /// For an error of SQLite in this file.
    pub(super) fn from_file(error: sqlx::Error, file: &Path) -> Self {
        if tells_corruption(&error) { Self::Corrupt(file.to_owned()) } else { Self::Unusable(error) }
    }

    /// For an error of the migrator in this file.
    pub(super) fn from_migration(error: MigrateError, file: &Path) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)
                if tells_corruption(&error) =>
            {
                Self::Corrupt(file.to_owned())
            }
            error => error.into(),
        }
    }

    pub(super) fn unusable(error: sqlx::Error) -> Self {
        Self::Unusable(error)
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::TooNew(version),
            error => Self::Migration(error),
        }
    }
}
