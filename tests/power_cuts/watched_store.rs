//! The real store, of which every commit is looked at when it returns.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use incident_server::store::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, Partitions, Pool, Position, Store, StoreError,
    StoredIncident, SyncItem, Verdict,
};
use tokio::sync::watch;

use crate::{recorder, server::LOG};

/// The store, and what it has committed and synced.
pub(crate) struct WatchedStore {
    store: Box<dyn Store>,
    committed: Mutex<Committed>,
}

#[derive(Default)]
struct Committed {
    ids: HashSet<IncidentId>,
    too_early: u64,
    erasures: Erasures,
}

/// Erasures come on their own, too, when incidents are old enough.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Erasures {
    begun: u64,
    ended: u64,
}

impl Erasures {
    pub(crate) fn are_over(self) -> bool {
        self.begun == self.ended
    }
}

impl WatchedStore {
    pub(crate) fn new(store: impl Store) -> Self {
        Self { store: Box::new(store), committed: Mutex::default() }
    }

    /// Called when nothing else writes: whatever the commit wrote must be synced.
    fn note(&self, ids: impl IntoIterator<Item = IncidentId>) {
        let mut committed = self.committed();
        match recorder::unsynced(&[LOG]) {
            (_, None) => committed.ids.extend(ids),
            _ => committed.too_early += 1,
        }
    }

    /// Whether a commit with this incident in it was synced, so that it may be answered.
    pub(crate) fn has_synced(&self, id: IncidentId) -> bool {
        self.committed().ids.contains(&id)
    }

    /// How many commits returned before they were synced.
    pub(crate) fn too_early(&self) -> u64 {
        self.committed().too_early
    }

    /// How many there were.
    pub(crate) fn erasures(&self) -> Erasures {
        self.committed().erasures
    }

    fn committed(&self) -> MutexGuard<'_, Committed> {
        self.committed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for WatchedStore {
    fn writers(&self) -> usize {
        self.store.writers()
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let verdicts = self.store.sync(batch, now).await?;
        self.note(batch.iter().map(|item| item.id));
        Ok(verdicts)
    }

    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError> {
        self.committed().erasures.begun += 1;
        let erased = self.store.erase(ids, now).await;
        self.committed().erasures.ended += 1;
        if erased.is_ok() {
            self.note(ids.iter().copied());
        }
        erased
    }

    async fn forget(&self) -> Result<(), StoreError> {
        self.store.forget().await
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        self.store.incident(id).await
    }

    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        self.store.incidents(query).await
    }

    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError> {
        self.store.history(id).await
    }

    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError> {
        self.store.changes(after, limit).await
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        self.store.horizon().await
    }

    fn watch_changes(&self) -> watch::Receiver<Position> {
        self.store.watch_changes()
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    async fn holds_incidents(&self) -> Result<bool, StoreError> {
        self.store.holds_incidents().await
    }

    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError> {
        self.store.knows_secret(fingerprint).await
    }

    fn log_bytes(&self) -> Option<u64> {
        self.store.log_bytes()
    }

    fn pools(&self) -> Vec<Pool> {
        self.store.pools()
    }

    fn partitions(&self) -> Option<Partitions> {
        self.store.partitions()
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    async fn close(&self) {
        self.store.close().await;
    }
}
