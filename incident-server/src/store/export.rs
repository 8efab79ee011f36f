//! All that is stored, page by page, beside the servers that go on writing.
//!
//! In order of their ids, so that whatever was there when the first page was read is in one of them: no incident ever
//! leaves its place. Each is shown as it is when its page is read, with the history that belongs to it.

use std::{io, path::Path};

use incident_core::IncidentId;
use sqlx::{PgConnection, SqliteConnection};

use super::{DatabaseTarget, OpenError, SqliteStore, StoreError, export_page::ExportPage, postgres, sqlite};

/// A database that is read from its first incident to its last.
pub(crate) enum Everything {
    /// A file.
    Sqlite(SqliteConnection),
    /// A server.
    Postgres(PgConnection),
}

impl Everything {
    /// Opens the database for reading.
    ///
    /// # Errors
    /// It cannot be read by this version.
    pub(crate) async fn open(database: &DatabaseTarget) -> Result<Self, OpenError> {
        match database {
            DatabaseTarget::Sqlite(file) => Self::open_file(file).await,
            DatabaseTarget::SqliteUrl(url) => Self::open_file(&SqliteStore::file_of(url)?).await,
            DatabaseTarget::Postgres(url) => {
                let mut session = postgres::export::open(url).await?;
                postgres::schema(&mut session).await.map_err(OpenError::unusable)?.check()?;
                Ok(Self::Postgres(session))
            }
        }
    }

    async fn open_file(file: &Path) -> Result<Self, OpenError> {
        if !file.exists() {
            let (file, source) = (file.to_owned(), io::ErrorKind::NotFound.into());
            return Err(OpenError::File { file, source });
        }
        let mut session = sqlite::read_only(file).await?;
        sqlite::schema(&mut session).await.map_err(|error| OpenError::from_file(error, file))?.check()?;
        Ok(Self::Sqlite(session))
    }

    /// The incidents behind this one, in one state of the database.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) async fn page(&mut self, after: Option<IncidentId>) -> Result<ExportPage, StoreError> {
        let after = after.unwrap_or(IncidentId::from_bytes([0; 16]));
        match self {
            Self::Sqlite(session) => sqlite::export::page(session, after).await,
            Self::Postgres(session) => postgres::export::page(session, after).await,
        }
    }
}
