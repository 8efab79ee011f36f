//! Where incidents live: one small trait, one implementation a database.
//!
//! A method is one whole truth: it opens, uses and commits its own transaction. What may happen to an
//! incident is decided by `incident-core`; a store fetches, asks and writes down the answer.

mod error;
mod export;
mod fold;
mod inspect;
mod pools;
mod postgres;
mod record;
mod sqlite;

use async_trait::async_trait;
use incident_core::{
    Event, IncidentId, LocationId, Outcome, Reporter, Status, Stored, SyncPayload, Timestamp, Tombstone,
};
use tokio::sync::watch;

use crate::opening::Place;

pub use error::{ItemError, OpenError, RowFault, StoreError};
pub(crate) use export::Everything;
pub(crate) use inspect::{Inspection, Schema};
pub use pools::Pool;
pub use postgres::PgStore;
pub use sqlite::{CopyError, SqliteStore};
pub(crate) use sqlite::{backup, compact, restore};

/// Looks at a database before a start.
///
/// # Errors
/// With it the server would not start.
pub(crate) async fn inspect(place: &Place) -> Result<Inspection, OpenError> {
    match place {
        Place::Sqlite(file) => sqlite::inspect(file).await,
        Place::SqliteUrl(url) => sqlite::inspect(&SqliteStore::file_of(url)?).await,
        Place::Postgres(url) => postgres::inspect(url).await,
    }
}

/// Whether the second URL leads to a standby of the PostgreSQL database behind the first.
///
/// # Errors
/// One of them cannot be asked.
pub(crate) async fn standby_of(url: &str, standby: &str) -> Result<bool, OpenError> {
    postgres::standby_of(url, standby).await
}

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

impl SyncItem {
    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        let SyncPayload { facts, cancellation_reason } = &self.payload;
        size_of::<Self>()
            + self.reporter.as_str().len()
            + facts.location_id.as_str().len()
            + facts.room_number.as_ref().map_or(0, |room| room.as_str().len())
            + cancellation_reason.as_ref().map_or(0, |reason| reason.as_str().len())
    }
}

/// What one item did: the incident as it is now and the word for it, or why it had no effect.
pub type Verdict = Result<(Stored, Outcome), ItemError>;

/// An incident as a reading route finds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// Its id.
    pub id: IncidentId,
    /// Who reported it; `None` for an anonymous or an erased one.
    pub reporter: Option<String>,
    /// The incident, or what is left of it. Lists have kept ones only.
    pub incident: Stored,
}

/// What an erasure did to one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Its id.
    pub id: IncidentId,
    /// What is left of it.
    pub tombstone: Tombstone,
    /// [`Outcome::Erased`], or [`Outcome::Unchanged`] where it had been erased before.
    pub outcome: Outcome,
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
    pub limit: usize,
}

impl ListQuery {
    /// The ids between which everything asked for lies: from the first, included, to the second, excluded.
    fn id_range(&self) -> (IncidentId, IncidentId) {
        let first = IncidentId::first_at(self.created_after.unwrap_or(Timestamp::MIN));
        let end = self.created_before.map_or(IncidentId::from_bytes([0xff; 16]), IncidentId::first_at);
        (first, self.after.map_or(end, |after| after.min(end)))
    }

    /// How many rows a page needs: one more than it shows, so that it is known whether there is another page.
    fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// A page of a list. A row that cannot be read is logged and left out.
#[derive(Debug, Clone, Default)]
pub struct IncidentPage {
    /// The incidents, newest first.
    pub incidents: Vec<StoredIncident>,
    /// The one behind which the next page begins; `None` on the last page.
    pub next: Option<IncidentId>,
}

#[cfg(test)]
impl ListQuery {
    /// Every combination of filters, of both roles, from the first page and a later one.
    fn all_combinations() -> Vec<Self> {
        let mut all = vec![Self { limit: 51, ..Self::default() }];
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut changed = all.clone();
            changed.iter_mut().for_each(change);
            all.extend(changed);
        };
        let moment = |ms| Timestamp::from_unix_ms(ms).ok();
        with(&|query| query.reporter = Reporter::parse("reporter-7").ok().map(Into::into));
        with(&|query| query.location_id = LocationId::parse("location-7").ok());
        with(&|query| query.created_after = moment(1_732_320_001_000));
        with(&|query| query.created_before = moment(1_732_320_019_000));
        with(&|query| query.after = moment(1_732_320_018_000).map(IncidentId::first_at));
        let one = |status| all.iter().map(move |query| Self { status, ..query.clone() });
        [None, Some(Status::Open), Some(Status::Cancelled)].into_iter().flat_map(one).collect()
    }
}

/// A place in the history of all incidents; larger ones are later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

impl Position {
    /// Before the first change.
    pub const START: Self = Self(0);
}

/// Which feed of changes positions are counted in. A database that was restored begins a new one, for it gives
/// the same positions out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series(pub i64);

/// How far the history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The feed that these positions belong to.
    pub series: Series,
    /// Up to here nothing is on its way any more: who goes on behind it skips nothing.
    pub settled: Position,
    /// The highest position that this database ever gave out.
    pub newest: Position,
}

/// How far partitions by time have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    /// The moment from which on there is none yet, in milliseconds; 0 where the tables are not partitioned.
    pub end_ms: i64,
    /// How often this server could not make one.
    pub failures: u64,
}

/// One row of the history of all incidents.
#[derive(Debug, Clone)]
pub struct StoredChange {
    /// Where it stands.
    pub position: Position,
    /// What happened.
    pub event: Event,
    /// The incident it happened to, as it is now.
    pub incident: StoredIncident,
}

/// A page of the history of all incidents. A row that cannot be read is logged and left out.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// The changes, in commit order.
    pub changes: Vec<StoredChange>,
    /// Behind the last row of the page, whether it could be read or not.
    pub next: Position,
}

/// A database of incidents.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// How many batches it takes at once.
    fn writers(&self) -> usize;

    /// Applies a batch in order, durable when it returns, repeats too.
    ///
    /// Atomic an incident: all items of one take effect in one transaction, and a store uses as few as it can.
    /// It takes as long as the database does. Dropped before its end it may leave a session behind in the database,
    /// so whoever does not want to wait any longer leaves the waiting to somebody else.
    ///
    /// Idempotent: the whole batch may be repeated, then everything in it is a replay. A conflict, or a stored row
    /// that cannot be read, is the verdict of its item and no error.
    ///
    /// # Errors
    /// [`StoreError`] for the whole batch; its effect is unknown then, and a repeat finds out. After
    /// [`StoreError::Refused`] nothing happened, and a part of the batch may still be taken.
    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError>;

    /// Erases incidents; those that are not there have no part in the answer. A row that cannot be read is erased, too.
    ///
    /// Atomic an incident: its row and its history are overwritten and its history says `erased` in one transaction. A
    /// store uses as few transactions as it can. Idempotent.
    ///
    /// # Errors
    /// [`StoreError`]; each incident is erased or as it was then.
    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError>;

    /// Lets nothing of what was erased stand in a write-ahead log that is this server's to bound; called again and again.
    /// Returns at once where nothing was erased.
    ///
    /// # Errors
    /// [`StoreError`]; somebody still reads what was there before.
    async fn forget(&self) -> Result<(), StoreError>;

    /// One incident, as it is committed.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError>;

    /// The incidents that `query` asks for, newest first, ties by id descending.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError>;

    /// As [`incident`](Self::incident), for those who change nothing by it: while the database is away, as it was last
    /// seen elsewhere, if there is another place.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incident_to_show(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        self.incident(id).await
    }

    /// As [`incidents`](Self::incidents), and otherwise as [`incident_to_show`](Self::incident_to_show).
    ///
    /// # Errors
    /// [`StoreError`].
    async fn incidents_to_show(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        self.incidents(query).await
    }

    /// What happened to one incident, oldest first. A row that cannot be read is logged and left out.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError>;

    /// What happened to all incidents behind `after`, at most `limit` changes, in commit order.
    ///
    /// None is ever skipped: whoever goes on behind the last one sees every change once.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError>;

    /// How far the history goes.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn horizon(&self) -> Result<Horizon, StoreError>;

    /// Marked as changed whenever there may be something new to ask [`changes`](Self::changes) for, by any
    /// server on this database. The value means nothing.
    fn watch_changes(&self) -> watch::Receiver<Position>;

    /// Whether other servers may use this database at once.
    fn is_shared(&self) -> bool;

    /// Whether an incident was ever stored.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn holds_incidents(&self) -> Result<bool, StoreError>;

    /// Whether the incidents are named under the id secret with this fingerprint. A database that knows of none
    /// remembers it.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError>;

    /// The size of the write-ahead log, where it is this server's to bound.
    fn log_bytes(&self) -> Option<u64>;

    /// How busy its connections are.
    fn pools(&self) -> Vec<Pool>;

    /// How far partitions by time have been made, where a store has such.
    fn partitions(&self) -> Option<Partitions>;

    /// Goes the way of a commit without changing anything. As with [`sync`](Self::sync), whoever does not want to
    /// wait any longer leaves the waiting to somebody else.
    ///
    /// # Errors
    /// [`StoreError`] where a commit would fail now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Gives files and connections back. Nothing may be asked afterwards.
    async fn close(&self);
}
