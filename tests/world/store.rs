//! The real store behind the gate. What it answers is held against the oracle, one transaction after the other.

use std::{path::PathBuf, sync::MutexGuard};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use incident_server::store::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, Partitions, Pool, Position, SqliteStore, Store,
    StoreError, StoredIncident, SyncItem, Verdict,
};
use tokio::sync::watch;

use crate::{
    database::Database,
    doubt::{Doubt, EVERYTHING, Found, every_incident},
    failing,
    gate::Fate,
    oracle::Oracle,
    spare,
};

/// A store that is asked one thing at a time.
pub(crate) struct GatedStore {
    pub(crate) store: SqliteStore,
    pub(crate) file: PathBuf,
    pub(crate) database: Database,
}

impl GatedStore {
    /// Whether the transaction takes place; `Err` where it does not.
    async fn pass(&self) -> Result<Fate, StoreError> {
        match self.database.gate.pass().await {
            Fate::Failed => Err(broken()),
            fate => Ok(fate),
        }
    }

    fn ask<T>(&self, question: impl Future<Output = T>) -> T {
        self.database.wait_for(question)
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

    /// A query, which fails where the disk does.
    fn read<T>(
        &self,
        what: &str,
        question: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let before = failing::failed(&self.file);
        let answer = self.ask(question);
        let may_fail = failing::failed(&self.file) > before || failing::is_given_up(&self.file);
        if may_fail { answer } else { self.well(what, answer) }
    }

    /// A transaction. Where it fails the store closes its connection, unless it has given the file up; that is waited for: others
    /// may look at the file before or after that.
    fn write<T>(
        &self,
        what: &str,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let done = self.read(what, work);
        let closes = done.is_err() && !failing::is_given_up(&self.file) && self.oracle().fault.is_none();
        if closes && !spare::writer_is_closed(&self.file) {
            self.oracle().expect("the connection of a transaction that failed", &"open", &"closed");
        }
        done
    }

    /// Something has happened.
    fn happened(&self, what: impl Fn(&mut Oracle)) {
        if self.oracle().doubts.is_empty() {
            what(&mut self.oracle());
        } else {
            // What the world looks at itself it sees.
            let failure = failing::take(&self.file);
            let found = self.read("all there is", self.everything());
            failing::set(&self.file, failure);
            if let Ok(found) = found {
                self.oracle().see(what, &found);
            }
        }
    }

    async fn everything(&self) -> Result<Found, StoreError> {
        let changes = self.store.changes(Position::START, EVERYTHING).await?;
        let horizon = self.store.horizon().await?;
        Ok(Found { changes, horizon, list: self.store.incidents(&every_incident()).await? })
    }

    /// Whether transactions that ended in an error are there.
    pub(crate) fn settle_doubts(&self) {
        self.happened(|_| {});
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
        let verdicts = self.write("a batch", self.store.sync(batch, now)).inspect_err(|_| {
            self.oracle().doubts.push(Doubt::Batch(batch.to_vec(), now));
        })?;
        self.happened(|oracle| oracle.synced(batch, now, &verdicts));
        told(fate, verdicts)
    }

    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError> {
        let fate = self.pass().await?;
        let erased = self.write("an erasure", self.store.erase(ids, now)).inspect_err(|_| {
            self.oracle().doubts.push(Doubt::Erasure(ids.to_vec(), now));
        })?;
        self.happened(|oracle| oracle.erased(ids, now, &erased));
        told(fate, erased)
    }

    async fn forget(&self) -> Result<(), StoreError> {
        self.write("an empty log", self.store.forget())
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        self.settle_doubts();
        let found = self.read("an incident", self.store.incident(id))?;
        self.oracle().incident(id, found.as_ref());
        Ok(found)
    }

    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        self.settle_doubts();
        let page = self.read("a list", self.store.incidents(query))?;
        self.oracle().incidents(query, &page);
        Ok(page)
    }

    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError> {
        self.settle_doubts();
        let events = self.read("a history", self.store.history(id))?;
        self.oracle().history(id, &events);
        Ok(events)
    }

    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError> {
        self.settle_doubts();
        let page = self.read("changes", self.store.changes(after, limit))?;
        self.oracle().changes(after, limit, &page);
        Ok(page)
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        self.settle_doubts();
        let horizon = self.read("a horizon", self.store.horizon())?;
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
        self.ask(self.store.holds_incidents())
    }

    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError> {
        self.ask(self.store.knows_secret(fingerprint))
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
        self.write("a probe", self.store.ready())?;
        self.happened(|oracle| oracle.doubts.clear());
        Ok(())
    }

    async fn close(&self) {
        self.ask(self.store.close());
    }
}
