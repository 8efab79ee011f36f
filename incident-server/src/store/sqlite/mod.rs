//! The embedded default: one SQLite file, one writer connection, readers apart.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk before anybody hears of it.

mod backup;
mod compact;
mod corruption;
mod erase;
pub(super) mod export;
mod inspect;
mod installation;
mod lock;
mod log_bound;
mod opened;
mod prepare;
mod read;
mod readers;
mod restore;
mod write;

use std::{
    fs::File,
    path::{Path, PathBuf},
    str::FromStr,
    sync::{
        PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, watch};

pub use self::backup::CopyError;
pub(crate) use self::{backup::backup, compact::compact, restore::restore};
pub(super) use self::{
    corruption::tells_corruption,
    inspect::{inspect, read_only, schema},
};
use self::{
    log_bound::LogBound,
    opened::OpenedFile,
    prepare::{check_edges, check_version, make_private, migrate},
    readers::Readers,
};
use super::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, OpenError, Partitions, Position, Store, StoreError,
    StoredIncident, SyncItem, Verdict,
    pools::{Pool, Waits},
};
use crate::limits::{LOCK_DEADLINE, READ_DEADLINE};

/// Incidents in a SQLite file.
pub struct SqliteStore {
    options: SqliteConnectOptions,
    /// Empty after an error: SQLite may have rolled back by itself, so the connection is not used again.
    writer: Mutex<Option<SqliteConnection>>,
    writer_waits: Waits,
    readers: Readers,
    log: LogBound,
    /// The log may hold what was erased; after a crash, too.
    log_remembers: AtomicBool,
    file: OpenedFile,
    /// Held until the store is closed.
    lock: std::sync::Mutex<Option<File>>,
    /// Counts batches; only that it changes matters.
    changed: watch::Sender<Position>,
}

impl SqliteStore {
    /// Opens the database behind a `sqlite://` URL, makes the file if it is missing and brings its tables up
    /// to date.
    ///
    /// # Errors
    /// The file cannot be opened or written, was made by a newer version, or is no database.
    pub async fn open_url(url: &str) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::from_str(url).map_err(OpenError::unusable)?;
        if url.contains(":memory:") || url.contains("mode=memory") {
            return Err(OpenError::InMemory);
        }
        Self::open(options).await
    }

    /// The file that a `sqlite://` URL names.
    ///
    /// # Errors
    /// It names none.
    pub fn file_of(url: &str) -> Result<PathBuf, OpenError> {
        Ok(SqliteConnectOptions::from_str(url).map_err(OpenError::unusable)?.get_filename().to_owned())
    }

    /// Opens the database in a file, as [`open_url`](Self::open_url) does.
    ///
    /// # Errors
    /// As [`open_url`](Self::open_url).
    pub async fn open_file(file: &Path) -> Result<Self, OpenError> {
        Self::open(SqliteConnectOptions::new().filename(file)).await
    }

    async fn open(options: SqliteConnectOptions) -> Result<Self, OpenError> {
        let file = options.get_filename().to_owned();
        make_private(&file)?;
        let lock = std::sync::Mutex::new(Some(lock::lock(&file)?));
        let options = options
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(LOCK_DEADLINE)
            .disable_statement_logging();
        let mut writer = options.connect().await.map_err(OpenError::unusable)?;
        check_version(&mut writer).await?;
        migrate(&mut writer).await.map_err(|error| OpenError::from_migration(error, &file))?;
        check_edges(&mut writer).await.map_err(|error| OpenError::from_file(error, &file))?;
        let readers = Readers::new(&options, READ_DEADLINE);
        let log = LogBound::new(&file, READ_DEADLINE, LOCK_DEADLINE);
        let changed = watch::Sender::new(Position::START);
        let file = OpenedFile::new(&file).map_err(|source| OpenError::File { file, source })?;
        let (writer, log_remembers) = (Mutex::new(Some(writer)), AtomicBool::new(true));
        let writer_waits = Waits::default();
        let store = Self { options, writer, writer_waits, readers, log, log_remembers, file, lock, changed };
        store.ready().await.map_err(OpenError::NoCommit)?;
        Ok(store)
    }

    /// Runs one transaction on the writer connection; any error ends the connection with it.
    ///
    /// Nothing is done in a file that was moved away, and nothing is acknowledged that may be in one.
    async fn write<T>(
        &self,
        transaction: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let wait = self.writer_waits.begin();
        let mut slot = self.writer.lock().await;
        drop(wait);
        self.file.in_place()?;
        self.file.intact()?;
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self
                .options
                .connect()
                .await
                .map_err(StoreError::from)
                .inspect_err(|error| self.note(error))?,
        };
        if let Err(error) = self.log.keep(&mut writer).await {
            tracing::warn!(%error, "the write-ahead log could not be emptied; tried again when it has grown");
        }
        let done = transaction(&mut writer).await.inspect_err(|error| self.note(error))?;
        *slot = Some(writer);
        self.file.in_place()?;
        Ok(done)
    }

    /// Says why, in SQLite's words, which have no value of a row in them, and its extended code.
    fn note(&self, error: &StoreError) {
        match error {
            StoreError::Unavailable(source) => {
                tracing::warn!(error = %source, "SQLite statement failed");
                if source.downcast_ref().is_some_and(tells_corruption) {
                    self.file.note_corruption();
                }
            }
            StoreError::Refused(source) => {
                tracing::warn!(error = %source, "SQLite statement failed for a value in it");
            }
            StoreError::Row(_) => {} // logged where it is answered
        }
    }

    /// Runs one query, and believes it if the file is in its place.
    async fn read<T>(
        &self,
        query: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.file.in_place()?;
        self.readers.run(&self.log, query).await.inspect_err(|error| self.note(error))
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn writers(&self) -> usize {
        1
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let verdicts = self.write(async |connection| write::sync(connection, batch, now).await).await;
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
        self.read(async |connection| read::incidents(connection, query).await).await
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
        } else if let Some(writer) = writer
            && let Err(error) = writer.close().await
        {
            tracing::warn!(error = %error, "the database did not close cleanly; it recovers at the next start");
        }
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
