//! The contract of a store, on a file.

use std::sync::{PoisonError, atomic::Ordering};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use tokio::sync::watch;

use super::{SqliteStore, erase, installation, listing, read, write};
use crate::store::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, Partitions, Pool, Position, Store, StoreError,
    StoredIncident, SyncItem, Verdict,
};

#[async_trait]
impl Store for SqliteStore {
    fn writers(&self) -> usize {
        1
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let sync = async |connection: &mut SqliteConnection| {
            write::sync(connection, batch, now, &self.unlisted).await
        };
        let verdicts = self.write(sync).await;
        self.changed.send_modify(|batches| batches.0 += 1); // after an error too: it may have been written
        verdicts
    }

    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError> {
        let erased = self.write(async |connection| erase::erase(connection, ids, now).await).await;
        self.log_remembers.store(true, Ordering::Relaxed); // after an error too, as below
        self.changed.send_modify(|batches| batches.0 += 1);
        erased
    }

    async fn forget(&self) -> Result<(), StoreError> {
        if !self.log_remembers.load(Ordering::Relaxed) {
            return Ok(());
        }
        let empty_log = async |writer: &mut SqliteConnection| {
            self.log_remembers.store(false, Ordering::Relaxed);
            Ok(self.log.empty_now(writer).await?)
        };
        let is_empty = self.write(empty_log).await;
        if !matches!(is_empty, Ok(true)) {
            self.log_remembers.store(true, Ordering::Relaxed);
            is_empty?;
            return Err(StoreError::Unavailable("somebody reads the database for long".into()));
        }
        Ok(())
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        self.read(async |connection| read::incident(connection, id).await).await
    }

    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        self.read(async |connection| read::incidents(connection, query, &self.unlisted).await).await
    }

    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError> {
        self.read(async |connection| read::history(connection, id).await).await
    }

    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError> {
        self.read(async |connection| read::changes(connection, after, limit).await).await
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        self.read(async |connection| read::horizon(connection).await).await
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn holds_incidents(&self) -> Result<bool, StoreError> {
        self.write(async |connection| installation::holds_incidents(connection).await).await
    }

    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError> {
        self.write(async |connection| installation::knows_secret(connection, &fingerprint).await).await
    }

    fn log_bytes(&self) -> Option<u64> {
        Some(self.log.bytes())
    }

    fn pools(&self) -> Vec<Pool> {
        let is_busy = self.writer.try_lock().is_err();
        vec![self.writer_waits.pool("write", usize::from(is_busy), 1), self.readers.pool()]
    }

    fn watch_changes(&self) -> watch::Receiver<Position> {
        self.changed.subscribe()
    }

    fn partitions(&self) -> Option<Partitions> {
        None
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let probe = async |connection: &mut SqliteConnection| {
            let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await?;
            // What is there already, so that a page goes the whole way to the disk.
            let rewrite = format!("BEGIN IMMEDIATE; PRAGMA user_version = {version}; COMMIT");
            sqlx::raw_sql(AssertSqlSafe(rewrite)).execute(connection).await?;
            Ok(())
        };
        self.write(probe).await
    }

    async fn close(&self) {
        self.readers.close().await;
        let writer = self.writer.lock().await.take();
        if !self.file.is_in_place() {
            // SQLite would delete the log by its name, and with it what another file may have there.
            std::mem::forget(writer);
        } else if let Some(mut writer) = writer {
            let listed = listing::list_all(&mut writer).await;
            if let Err(error) = listed.and(writer.close().await) {
                tracing::warn!(error = %error, "the database did not close cleanly; it recovers at the next start");
            }
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::limits::COMMIT_DEADLINE;

    #[tokio::test]
    async fn an_erasure_that_waits_for_a_reader_keeps_no_commit_for_long() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = SqliteStore::open_file(file.path()).await.unwrap();
        let reading = store.log.reading().await;

        let commit =
            timeout(COMMIT_DEADLINE * 3 / 4, async { tokio::join!(biased; store.forget(), store.ready()) });
        let (forgotten, committed) = commit.await.expect("a commit in time");

        drop(reading);
        assert!(forgotten.is_err());
        committed.unwrap();
        store.forget().await.unwrap();
    }

    #[tokio::test]
    async fn a_store_that_was_closed_stays_so() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = SqliteStore::open_file(file.path()).await.unwrap();
        store.close().await;

        let late = store.ready().await;

        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
        assert!(store.writer.lock().await.is_none());
    }
}
