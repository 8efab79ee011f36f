//! Why a database could not be opened at the start, in sentences for people.

use std::{
    io,
    path::{Path, PathBuf},
};

use sqlx::migrate::MigrateError;

use super::{error::StoreError, sqlite::tells_corruption};

/// Why a database could not be opened at the start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL names a database in memory, which vanishes with its connection.
    #[error("a database in memory would lose every report; give a file, such as sqlite://./incidents.sqlite")]
    InMemory,
    /// The file would only be read, or be locked for nobody else.
    #[error("the database URL says {0}, with which no report could be kept safely; leave it out")]
    Parameter(String),
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
    /// Under each of them another server could run, and neither would know of the other.
    #[error(
        "the database {file} has other names (hard links; «find DIRECTORY -samefile {file}» finds them): remove those, leave it \
         this one, and start again", file = .0.display()
    )]
    SeveralNames(PathBuf),
    /// It has tables, and none of ours.
    #[error(
        "the database {} is another program's; give this one another --data-dir or --database-url", .0.display()
    )]
    Foreign(PathBuf),
    /// It is something else, which SQLite might take for an empty database and write over.
    #[error(
        "the database cannot be used: {} is not a database; give this one another --data-dir or --database-url, or \
         restore a backup with: incident-server restore FILE", .0.display()
    )]
    NoDatabase(PathBuf),
    /// What was acknowledged last may be in this log alone.
    #[error(
        "the log {} is there without its database, which is missing or empty: put the database back in its place, or \
         restore a backup with: incident-server restore FILE, which keeps the log", .0.display()
    )]
    LoneLog(PathBuf),
    /// What is in the file is not what SQLite wrote there.
    #[error(
        "the database {} is corrupt; restore a backup with: incident-server restore FILE", .0.display()
    )]
    Corrupt(PathBuf),
    /// The file or server cannot be used.
    #[error("the database cannot be used: {}", plainly(.0))]
    Unusable(#[source] sqlx::Error),
    /// The library has a known corruption bug.
    #[error("SQLite {0} may corrupt a WAL database; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// A standby, or a primary that takes no changes.
    #[error(
        "the PostgreSQL server takes no changes: it is a standby, and the URL must lead to the primary, or \
         default_transaction_read_only is on for this user or database"
    )]
    ReadOnly,
    /// The server lacks settings that the store relies on.
    #[error(
        "PostgreSQL 14 or later is needed, and this server is of version {}; upgrade it, or name another", .0 / 10_000
    )]
    OldPostgres(u32),
    /// It can be read, but a commit fails or does not end.
    #[error(
        "the database takes no writes ({}); free its disk, end what holds its locks, or bring its synchronous standby \
         back", cause(.0)
    )]
    NoCommit(#[source] StoreError),
    /// Texts of other scripts could not be stored.
    #[error(
        "the PostgreSQL database has the encoding {0}, which cannot hold every report; make one with ENCODING 'UTF8' and \
         bring what is there over with pg_dump"
    )]
    Encoding(String),
    /// A newer version of this server has been here.
    #[error(
        "the database was brought to schema version {0} by a newer incident-server; run that version, or restore a \
         backup made before the upgrade"
    )]
    TooNew(i64),
    /// Its tables are not there, or not those of this version.
    #[error("the database is not up to date with this version; start the server on it once")]
    Outdated,
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date: {0}")]
    Migration(#[source] MigrateError),
    /// Others use them for long.
    #[error(
        "a start needs the tables, and somebody holds them (a dump, a transaction that was left open, another server that \
         brings them up to date); pg_stat_activity and pg_locks say who"
    )]
    TablesHeld,
    /// Tables are made by their owner, and used by somebody else.
    #[error(
        "the tables are missing or older than this version, and the user of the URL may not make them ({0}); start this \
         version once with the URL of their owner, and look whether the search_path of both leads to the same schema"
    )]
    MayNotMakeTables(String),
    /// Every sync would fail.
    #[error(
        "the user of the URL may not use the tables, it lacks: {0}; let their owner grant that, \
         docs/high-availability.md has the statements"
    )]
    MissingRights(String),
}

/// What the database said, without the line of its own source that the driver adds.
fn plainly(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |said| said.message().to_owned())
}

/// What the database or the driver said.
fn cause(error: &StoreError) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

impl OpenError {
    /// Whether it may be otherwise in a moment: the server is not reached, starts up, stops, is full, or does not commit.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::NoCommit(_) | Self::TablesHeld | Self::Unusable(sqlx::Error::Io(_)) => true,
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

    /// For an error of PostgreSQL in making tables or indexes: a right is missing, or a schema to make them in.
    pub(super) fn from_making(error: sqlx::Error) -> Self {
        refused_making(&error).unwrap_or(Self::Unusable(error))
    }

    /// For a server that was waited for in vain.
    pub(super) fn late() -> Self {
        Self::Unusable(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time").into())
    }

    pub(super) fn unusable(error: sqlx::Error) -> Self {
        Self::Unusable(error)
    }
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match &error {
            MigrateError::VersionMissing(version) => return Self::TooNew(*version),
            MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _) => {
                if let Some(refused) = refused_making(cause) {
                    return refused;
                }
            }
            _ => {}
        }
        Self::Migration(error)
    }
}

/// Whether PostgreSQL refused to make something for a lock, a right or a schema that the user lacks.
fn refused_making(error: &sqlx::Error) -> Option<OpenError> {
    let refusal = error.as_database_error()?;
    match &*refusal.code()? {
        "55P03" => Some(OpenError::TablesHeld),
        "42501" | "3F000" => Some(OpenError::MayNotMakeTables(refusal.message().to_owned())),
        _ => None,
    }
}
