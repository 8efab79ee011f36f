//! A database that takes its time, and is asked nothing but to commit.

use std::{
    panic::resume_unwind,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use incident_core::{Event, Incident, IncidentId, Timestamp};
use shuttle::{
    future::yield_now,
    rand::{Rng, thread_rng},
};
use tokio::sync::watch;

use super::Weather;
use crate::store::{
    ChangePage, Erased, Horizon, IncidentPage, ItemError, ListQuery, Partitions, Pool, Position, Store,
    StoreError, StoredIncident, SyncItem, Verdict,
};

/// A number below this one.
pub(super) fn chance(below: usize) -> usize {
    thread_rng().gen_range(0..below)
}

/// Whether it has a value that the database does not take.
pub(super) fn is_refused(item: &SyncItem) -> bool {
    item.payload.facts.location_id.as_str() == "3"
}

pub(super) struct Database {
    weather: Weather,
    begun: AtomicUsize,
    /// What is committed, each with the number of its transaction.
    committed: Mutex<Vec<(IncidentId, usize)>>,
}

impl Database {
    pub(super) fn new(weather: Weather) -> Self {
        Self { weather, begun: AtomicUsize::new(0), committed: Mutex::default() }
    }

    /// How many transactions were begun.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    pub(super) fn has(&self, id: IncidentId) -> bool {
        self.transaction_of(id).is_some()
    }

    pub(super) fn transaction_of(&self, id: IncidentId) -> Option<usize> {
        let committed = self.committed.lock().unwrap();
        committed.iter().find(|(of, _)| *of == id).map(|(_, number)| *number)
    }

    async fn pause(&self) {
        let turns = if self.weather == Weather::Fair { 1 } else { chance(3) };
        for _ in 0..turns {
            yield_now().await;
        }
    }

    fn fault(&self, batch: &[SyncItem]) -> Option<StoreError> {
        match self.weather {
            Weather::Refusals if batch.iter().any(is_refused) => {
                Some(StoreError::Refused(sqlx::Error::RowNotFound))
            }
            Weather::Foul if chance(6) == 0 => Some(StoreError::Unavailable("it is away".into())),
            Weather::Foul if chance(12) == 0 => resume_unwind(Box::new("a bug")),
            _ => None,
        }
    }
}

#[async_trait]
impl Store for Database {
    fn writers(&self) -> usize {
        1
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        self.pause().await;
        if let Some(error) = self.fault(batch) {
            return Err(error);
        }
        self.committed.lock().unwrap().extend(batch.iter().map(|item| (item.id, number)));
        self.pause().await;
        if self.weather == Weather::Foul && chance(8) == 0 {
            return Err(StoreError::Unavailable("it does not say whether it committed".into()));
        }
        let verdict = |item: &SyncItem| {
            let applied = Incident::apply(None, &item.payload, now).map_err(ItemError::from)?;
            Ok((applied.incident, applied.outcome))
        };
        Ok(batch.iter().map(verdict).collect())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn erase(&self, _: &[IncidentId], _: Timestamp) -> Result<Vec<Erased>, StoreError> {
        unreachable!()
    }

    async fn forget(&self) -> Result<(), StoreError> {
        unreachable!()
    }

    async fn incident(&self, _: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        unreachable!()
    }

    async fn incidents(&self, _: &ListQuery) -> Result<IncidentPage, StoreError> {
        unreachable!()
    }

    async fn history(&self, _: IncidentId) -> Result<Vec<Event>, StoreError> {
        unreachable!()
    }

    async fn changes(&self, _: Position, _: i64) -> Result<ChangePage, StoreError> {
        unreachable!()
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        unreachable!()
    }

    fn watch_changes(&self) -> watch::Receiver<Position> {
        unreachable!()
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn holds_incidents(&self) -> Result<bool, StoreError> {
        unreachable!()
    }

    async fn knows_secret(&self, _: [u8; 32]) -> Result<bool, StoreError> {
        unreachable!()
    }

    fn log_bytes(&self) -> Option<u64> {
        None
    }

    fn pools(&self) -> Vec<Pool> {
        Vec::new()
    }

    fn partitions(&self) -> Option<Partitions> {
        None
    }

    async fn close(&self) {}
}
