//! What every database of incidents does.

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use tokio::sync::watch;

use super::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, Partitions, Pool, Position, StoreError,
    StoredIncident, SyncItem, Verdict,
};

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
