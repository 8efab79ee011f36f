//! Where incidents live: one small trait, one implementation a database.
//!
//! A method is one whole truth: it opens, uses and commits its own transaction. What may happen to an
//! incident is decided by `incident-core`; a store fetches, asks and writes down the answer.

mod fold;
mod record;
mod sqlite;

use async_trait::async_trait;
use incident_core::{
    Conflict, Event, Incident, IncidentId, LocationId, Outcome, Reporter, Status, SyncPayload, Timestamp,
};

pub use sqlite::SqliteStore;

/// One payload on its way into the store.
#[derive(Debug, Clone)]
pub struct SyncItem {
    /// Under which id the incident is stored.
    pub id: IncidentId,
    /// Who reports; stored for incidents that are not anonymous.
    pub reporter: std::sync::Arc<Reporter>,
    /// What is reported.
    pub payload: SyncPayload,
}

/// What one item did: the incident as it is now and the word for it, or a conflict.
pub type Verdict = Result<(Incident, Outcome), Conflict>;

/// An incident as a reading route finds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// Its id.
    pub id: IncidentId,
    /// Who reported it; `None` for an anonymous one.
    pub reporter: Option<String>,
    /// The incident.
    pub incident: Incident,
}

/// Which incidents a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only those of this reporter that are not anonymous.
    pub reporter: Option<std::sync::Arc<Reporter>>,
    /// Only those in this state.
    pub status: Option<Status>,
    /// Only those at this location.
    pub location_id: Option<LocationId>,
    /// Only those created at or after this moment.
    pub created_after: Option<Timestamp>,
    /// Only those created before this moment.
    pub created_before: Option<Timestamp>,
    /// Only those that come after this one in the list.
    pub after: Option<IncidentId>,
    /// At most this many.
    pub limit: i64,
}

impl ListQuery {
    /// The ids between which everything asked for lies: from the first, included, to the second, excluded.
    fn id_range(&self) -> (IncidentId, IncidentId) {
        let first = IncidentId::first_at(self.created_after.unwrap_or(Timestamp::MIN));
        let end = self.created_before.map_or(IncidentId::from_bytes([0xff; 16]), IncidentId::first_at);
        (first, self.after.map_or(end, |after| after.min(end)))
    }
}

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
    /// The file or server cannot be used.
    #[error("the database cannot be used: {0}")]
    Unusable(#[source] sqlx::Error),
    /// The library has a known corruption bug.
    #[error("SQLite {0} may corrupt a WAL database; 3.51.3 or later is needed")]
    OldSqlite(String),
    /// A newer version of this server has been here.
    #[error(
        "the database was brought to schema version {0} by a newer incident-server; run that version, or restore a \
         backup made before the upgrade"
    )]
    TooNew(i64),
    /// The tables could not be brought up to date.
    #[error("the tables could not be brought up to date: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl OpenError {
    fn unusable(error: sqlx::Error) -> Self {
        Self::Unusable(error)
    }
}

impl From<sqlx::migrate::MigrateError> for OpenError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => Self::TooNew(version),
            error => Self::Migration(error),
        }
    }
}

/// A database of incidents.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// How many batches it takes at once.
    fn writers(&self) -> usize;

    /// Applies a batch in order, in one transaction, durable when it returns.
    ///
    /// Atomic: all of it or nothing. Idempotent: the whole batch may be repeated, then everything in it is a
    /// replay. A conflict is the verdict of its item and no error.
    ///
    /// # Errors
    /// [`StoreError`] for the whole batch; its effect is unknown then, and a repeat finds out.
    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError>;

    /// One incident, as it is committed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError>;

    /// The incidents that `query` asks for, newest first, ties by id descending.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incidents(&self, query: &ListQuery) -> Result<Vec<StoredIncident>, StoreError>;

    /// What happened to one incident, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError>;

    /// Goes the way of a commit without changing anything.
    ///
    /// # Errors
    /// [`StoreError`] where a commit would fail now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Gives files and connections back. Nothing may be asked afterwards.
    async fn close(&self);
}
