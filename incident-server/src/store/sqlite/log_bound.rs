//! The write-ahead log stays bounded, however many readers there are.
//!
//! SQLite begins its log anew when nobody reads from it. Readers that overlap leave it no such moment, so when it
//! has grown, new ones are held off until those under way have ended, and it is emptied: once in a few thousand
//! transactions, for the time of the longest read.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sqlx::{AssertSqlSafe, SqliteConnection};
use tokio::{
    sync::{RwLock, RwLockReadGuard},
    time::timeout,
};

use super::lock::beside;

const MIB: u64 = 1024 * 1024;
/// From here on readers are held off, but for no longer than they hardly notice.
const GROWN: u64 = 24 * MIB;
const HARDLY_NOTICED: Duration = Duration::from_millis(100);
/// From here on readers are held off until the slowest has ended, in two attempts at most: 64 MiB are never reached.
const URGENT: u64 = 40 * MIB;
/// After an attempt in vain the log grows by this before the next one.
const STEP: u64 = 4 * MIB;
/// How long a reader outside this process, such as a backup, may keep the writer waiting.
const FOREIGN_READERS: Duration = Duration::from_millis(50);

pub(super) struct LogBound {
    file: PathBuf,
    readers: RwLock<()>,
    /// How large the log is to be before the next attempt.
    next: AtomicU64,
    /// So long the writer waits for readers to end, and whoever commits with it: less than a commit may take.
    longest_wait: Duration,
    lock_timeout: Duration,
}

impl LogBound {
    pub(super) fn new(database: &Path, longest_wait: Duration, lock_timeout: Duration) -> Self {
        let (file, next) = (beside(database, "-wal"), AtomicU64::new(GROWN));
        Self { file, readers: RwLock::new(()), next, longest_wait, lock_timeout }
    }

    /// Held while something is read.
    pub(super) async fn reading(&self) -> RwLockReadGuard<'_, ()> {
        self.readers.read().await
    }

    /// The size of the log in bytes; none, none.
    pub(super) fn bytes(&self) -> u64 {
        fs::metadata(&self.file).map_or(0, |found| found.len())
    }

    /// Empties the log if it has grown; called by the writer between two transactions.
    pub(super) async fn keep(&self, writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let bytes = self.bytes();
        if bytes < self.next.load(Ordering::Relaxed) {
            return Ok(());
        }
        let patience = if bytes < URGENT { HARDLY_NOTICED } else { self.longest_wait };
        if let Ok(_no_reader) = timeout(patience, self.readers.write()).await {
            self.empty(writer).await?;
        }
        self.next.store(GROWN.max(self.bytes() + STEP), Ordering::Relaxed);
        Ok(())
    }

    /// Empties the log whatever its size, and says whether nothing is left in it.
    pub(super) async fn empty_now(&self, writer: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
        let Ok(_no_reader) = timeout(self.longest_wait, self.readers.write()).await else { return Ok(false) };
        self.empty(writer).await?;
        Ok(self.bytes() == 0)
    }

    async fn empty(&self, writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        set_lock_timeout(writer, FOREIGN_READERS).await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut *writer).await?;
        set_lock_timeout(writer, self.lock_timeout).await
    }
}

async fn set_lock_timeout(writer: &mut SqliteConnection, time: Duration) -> Result<(), sqlx::Error> {
    let set = format!("PRAGMA busy_timeout = {}", time.as_millis());
    sqlx::query(AssertSqlSafe(set)).execute(writer).await.map(drop)
}
