//! Which database: a file or a server.

use std::path::PathBuf;

use super::{Inspection, OpenError, SqliteStore, postgres, sqlite};

/// Which database, not opened yet.
pub(crate) enum DatabaseTarget {
    /// A file of its own.
    Sqlite(PathBuf),
    /// A file, with SQLite's parameters.
    SqliteUrl(String),
    /// A server.
    Postgres(String),
}

/// The URL is of no database that is known here.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("--database-url must begin with sqlite:// or postgres://")]
pub(crate) struct DatabaseUrlError;

impl DatabaseTarget {
    /// # Errors
    /// [`DatabaseUrlError`].
    pub(crate) fn parse(url: &str) -> Result<Self, DatabaseUrlError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::SqliteUrl(url.to_owned())),
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(url.to_owned())),
            _ => Err(DatabaseUrlError),
        }
    }

    /// Looks at it before a start.
    ///
    /// # Errors
    /// With it the server would not start.
    pub(crate) async fn inspect(&self) -> Result<Inspection, OpenError> {
        match self {
            Self::Sqlite(file) => sqlite::inspect(file).await,
            Self::SqliteUrl(url) => sqlite::inspect(&SqliteStore::file_of(url)?).await,
            Self::Postgres(url) => postgres::inspect(url).await,
        }
    }
}

/// Whether the second URL leads to a standby of the PostgreSQL database behind the first.
///
/// # Errors
/// One of them cannot be asked.
pub(crate) async fn standby_of(url: &str, standby: &str) -> Result<bool, OpenError> {
    postgres::standby_of(url, standby).await
}
