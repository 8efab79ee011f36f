//! The real store behind the gate. What it answers is held against the oracle, one transaction after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use incident_server::store::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, Partitions, Pool, Position, SqliteStore, Store,
    StoreError, StoredIncident, SyncItem, Verdict,
};
use tokio::{runtime::Handle, sync::watch};

use crate::{
    gate::{Fate, Gate},
    oracle::Oracle,
};

/// What a world keeps while servers come and go.
#[derive(Clone)]
pub(crate) struct Database {
    /// Where the store's own tasks run. The world stands still meanwhile, so that nothing ever happens beside it.
    pub(crate) runtime: Handle,
    pub(crate) gate: Arc<Gate>,
    pub(crate) oracle: Arc<Mutex<Oracle>>,
}

impl Database {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, gate: Arc::new(Gate::new()), oracle: Arc::default() }
    }

    pub(crate) fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.oracle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something elsewhere and waits for it.
    pub(crate) fn wait_for<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.runtime.spawn(async move { drop(sender.send(work.await)) });
        receiver.recv().expect("the store's task ends")
    }
}

/// A store that is asked one thing at a time.
pub(crate) struct GatedStore {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) database: Database,
}

/// Asks the store. The names are those of its method and of the oracle's.
macro_rules! ask {
    ($self:ident, $store:ident => $question:expr) => {{
        let $store = Arc::clone(&$self.store);
        $self.database.wait_for(async move { $question })
    }};
}

impl GatedStore {
    /// Whether the transaction takes place; `Err` where it does not.
    async fn pass(&self) -> Result<Fate, StoreError> {
        match self.database.gate.pass().await {
            Fate::Failed => Err(broken()),
            fate => Ok(fate),
        }
    }

    fn oracle(&self) -> MutexGuard<'_, Oracle> {
        self.database.oracle()
    }

    /// A database that is well does not fail.
    fn well<T>(&self, what: &str, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(error) = &answer {
            let error = format!("{error}: {:?}", std::error::Error::source(error).map(ToString::to_string));
            self.oracle().expect(what, &error, &String::new());
        }
        answer
    }
}

fn broken() -> StoreError {
    StoreError::Unavailable("the disk is full".into())
}

fn told<T>(fate: Fate, answer: T) -> Result<T, StoreError> {
    if fate == Fate::DoneUntold { Err(broken()) } else { Ok(answer) }
}

#[async_trait]
impl Store for GatedStore {
    fn writers(&self) -> usize {
        self.store.writers()
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let fate = self.pass().await?;
        let items = batch.to_vec();
        let verdicts = self.well("a batch", ask!(self, store => store.sync(&items, now).await))?;
        self.oracle().synced(batch, now, &verdicts);
        told(fate, verdicts)
    }

    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError> {
        let fate = self.pass().await?;
        let these = ids.to_vec();
        let erased = self.well("an erasure", ask!(self, store => store.erase(&these, now).await))?;
        self.oracle().erased(ids, now, &erased);
        told(fate, erased)
    }

    async fn forget(&self) -> Result<(), StoreError> {
        ask!(self, store => store.forget().await)
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        let found = self.well("an incident", ask!(self, store => store.incident(id).await))?;
        self.oracle().incident(id, found.as_ref());
        Ok(found)
    }

    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        let asked = query.clone();
        let page = self.well("a list", ask!(self, store => store.incidents(&asked).await))?;
        self.oracle().incidents(query, &page);
        Ok(page)
    }

    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError> {
        let events = self.well("a history", ask!(self, store => store.history(id).await))?;
        self.oracle().history(id, &events);
        Ok(events)
    }

    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError> {
        let page = self.well("changes", ask!(self, store => store.changes(after, limit).await))?;
        self.oracle().changes(after, limit, &page);
        Ok(page)
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        let horizon = self.well("a horizon", ask!(self, store => store.horizon().await))?;
        self.oracle().horizon(horizon);
        Ok(horizon)
    }

    fn watch_changes(&self) -> watch::Receiver<Position> {
        self.store.watch_changes()
    }

    fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    async fn holds_incidents(&self) -> Result<bool, StoreError> {
        ask!(self, store => store.holds_incidents().await)
    }

    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError> {
        ask!(self, store => store.knows_secret(fingerprint).await)
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
        self.pass().await?;
        ask!(self, store => store.ready().await)
    }

    async fn close(&self) {
        ask!(self, store => store.close().await);
    }
}
