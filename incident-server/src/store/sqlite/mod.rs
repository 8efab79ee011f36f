//! The embedded default: one SQLite file, one writer connection, readers apart.
//!
//! WAL with `synchronous=FULL`: a commit is on the disk before anybody hears of it.

mod backup;
mod compact;
mod copy_error;
mod corruption;
mod erase;
pub(super) mod export;
mod inspect;
mod installation;
mod listing;
mod lock;
mod log_again;
mod log_bound;
mod opened;
mod prepare;
mod read;
mod readers;
mod restore;
mod script;
mod served;
mod side_files;
mod unlisted;
mod url;
mod waiting;
mod write;

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{PoisonError, atomic::AtomicBool},
};

use sqlx::{
    ConnectOptions, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, watch};

pub(crate) use self::{
    backup::backup,
    compact::compact,
    restore::{may_be_restored, restore},
    side_files::refuse_name_of_a_part,
};
use self::{
    corruption::tells_corrupt_pages,
    log_again::write_log_again,
    log_bound::LogBound,
    opened::OpenedFile,
    prepare::{check_edges, check_version, make_private, migrate, refuse_foreign},
    readers::Readers,
    side_files::refuse_seemingly_empty,
    unlisted::{TURN, Unlisted},
    url::options_of,
};
pub(super) use self::{
    corruption::tells_corruption,
    inspect::{inspect, read_only, schema},
};
use super::{OpenError, Position, Store, StoreError, pools::Waits};
use crate::limits::{COMMIT_DEADLINE, LOCK_DEADLINE, READ_DEADLINE};

/// What a statement may have to undo is kept in memory: in a temporary file it would be reports in another place than the database,
/// and a disk without room for it would refuse every large batch.
const TEMPORARY_IN_MEMORY: &str = "PRAGMA temp_store = MEMORY";

/// Incidents in a SQLite file.
pub struct SqliteStore {
    options: SqliteConnectOptions,
    /// Empty after an error: SQLite may have rolled back by itself, so the connection is not used again.
    writer: Mutex<Option<SqliteConnection>>,
    writer_waits: Waits,
    readers: Readers,
    unlisted: Unlisted,
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
        Self::open(options_of(url)?, TURN).await
    }

    /// The file that a `sqlite://` URL names.
    ///
    /// # Errors
    /// It names none.
    pub(crate) fn file_of(url: &str) -> Result<PathBuf, OpenError> {
        Ok(options_of(url)?.get_filename().to_owned())
    }

    /// Opens the database in a file, as [`open_url`](Self::open_url) does.
    ///
    /// # Errors
    /// As [`open_url`](Self::open_url).
    pub async fn open_file(file: &Path) -> Result<Self, OpenError> {
        Self::open(SqliteConnectOptions::new().filename(file), TURN).await
    }

    /// With so many incidents that are listed together.
    async fn open(options: SqliteConnectOptions, turn_size: usize) -> Result<Self, OpenError> {
        refuse_seemingly_empty(options.get_filename())?;
        make_private(options.get_filename())?;
        let file = lock::real(options.get_filename());
        let lock = std::sync::Mutex::new(Some(lock::lock(&file)?));
        let options = options
            .filename(&file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("secure_delete", "ON")
            .busy_timeout(LOCK_DEADLINE)
            .disable_statement_logging();
        let mut writer = options.connect().await.map_err(|error| not_opened(error, &file))?;
        check_version(&mut writer).await?;
        refuse_foreign(&mut writer, &file).await?;
        write_log_again(&mut writer, &file).await.map_err(|error| OpenError::from_file(error, &file))?;
        migrate(&mut writer).await.map_err(|error| OpenError::from_migration(error, &file))?;
        let options = options.pragma("temp_store", "MEMORY"); // a migration may sort more than there is memory
        sqlx::query(TEMPORARY_IN_MEMORY).execute(&mut writer).await.map_err(OpenError::unusable)?;
        check_edges(&mut writer).await.map_err(|error| OpenError::from_file(error, &file))?;
        listing::list_all(&mut writer).await.map_err(|error| OpenError::from_file(error, &file))?;
        let readers = Readers::open(&options, READ_DEADLINE).await.map_err(OpenError::unusable)?;
        let log = LogBound::new(&file, COMMIT_DEADLINE / 2, LOCK_DEADLINE);
        let changed = watch::Sender::new(Position::START);
        let file = OpenedFile::new(&file).map_err(|source| OpenError::File { file, source })?;
        let (writer, log_remembers) = (Mutex::new(Some(writer)), AtomicBool::new(true));
        let writer_waits = Waits::default();
        let unlisted = Unlisted::new(turn_size);
        let store = Self {
            options,
            writer,
            writer_waits,
            readers,
            unlisted,
            log,
            log_remembers,
            file,
            lock,
            changed,
        };
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
        self.not_closed()?;
        self.file.in_place()?;
        self.file.intact()?;
        let mut writer = match slot.take() {
            Some(writer) => writer,
            None => self.connect_anew().await.inspect_err(|error| self.note(error))?,
        };
        if let Err(error) = self.log.keep(&mut writer).await {
            tracing::warn!(%error, "the write-ahead log could not be emptied; tried again when it has grown");
        }
        let done = transaction(&mut writer).await.inspect_err(|error| self.note(error))?;
        *slot = Some(writer);
        self.file.in_place()?;
        Ok(done)
    }

    /// # Errors
    /// It was closed, and the file may be another process's by now.
    fn not_closed(&self) -> Result<(), StoreError> {
        match *self.lock.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(_) => Ok(()),
            None => Err(StoreError::Unavailable("the database was closed".into())),
        }
    }

    /// After an error nobody knows what it came to: what is there is listed, and nothing else waits to be.
    async fn connect_anew(&self) -> Result<SqliteConnection, StoreError> {
        let mut writer = self.options.connect().await?;
        while listing::list_more(&mut writer).await? {
            self.log.keep(&mut writer).await?;
        }
        self.unlisted.clear();
        Ok(writer)
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

/// Opening reads the tables' names: the first pages.
fn not_opened(error: sqlx::Error, file: &Path) -> OpenError {
    if tells_corrupt_pages(&error) { OpenError::Corrupt(file.to_owned()) } else { OpenError::unusable(error) }
}
