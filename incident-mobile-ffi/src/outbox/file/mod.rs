//! The file: one SQLite database, durable at every commit.

pub(super) mod carve;
pub(super) mod repair;
mod schema;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{Options, OutboxError};

/// 3.51.3 repairs the WAL-reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The open file. Every change is one transaction of [`File::write`].
pub(super) struct File {
    connection: Connection,
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl File {
    /// Opens or creates. A file whose last user died is checked first.
    ///
    /// # Errors
    /// [`OutboxError::Corrupt`] where it needs repair; otherwise the file was not touched.
    pub(super) fn open(path: &Path, options: &Options) -> Result<Self, OutboxError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OutboxError::Unavailable("SQLite is older than 3.51.3".into()));
        }
        let unclean = size(&beside(path, "-wal")) > 0 || beside(path, "-suspect").exists();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        schema::set_up(&connection, options)?;
        let mut file = Self { connection, path: path.to_owned(), identity: identity(path) };
        schema::migrate(&mut file, options)?;
        if unclean {
            file.check()?;
        }
        Ok(file)
    }

    fn check(&self) -> Result<(), OutboxError> {
        let verdict: String = self.connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(OutboxError::Corrupt);
        }
        let suspect = beside(&self.path, "-suspect");
        if suspect.exists() {
            std::fs::remove_file(suspect)?;
        }
        Ok(())
    }

    pub(super) fn read(&self) -> &Connection {
        &self.connection
    }

    /// One transaction that holds the write lock from its first statement; durable when it returns.
    ///
    /// # Errors
    /// That of `change` or of the file; then nothing happened.
    pub(super) fn write<T>(
        &mut self,
        options: &Options,
        name: &'static str,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = change(&transaction)?;
        options.reached(name, "before commit");
        transaction.commit()?;
        options.reached(name, "after commit");
        // Another process may have repaired the file: then this went into the one that was moved aside.
        if self.identity == identity(&self.path) { Ok(value) } else { Err(OutboxError::Corrupt) }
    }

    /// Closes the file; whatever is asked of it later fails.
    pub(super) fn let_go(&mut self) -> Result<(), OutboxError> {
        self.connection = Connection::open_in_memory()?;
        Ok(())
    }

    /// Bytes in use, free pages not counted.
    pub(super) fn bytes(connection: &Connection) -> Result<i64, OutboxError> {
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok((pragma("page_count")? - pragma("freelist_count")?) * schema::PAGE_BYTES)
    }

    /// Empties the write-ahead log, so that what was erased is not left in it either.
    pub(super) fn forget(&self) -> Result<(), OutboxError> {
        Ok(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
    }
}

/// `path` with something after its name, as SQLite itself names `-wal` and `-shm`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// Which file the path leads to: device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn identity(_path: &Path) -> Option<(u64, u64)> {
    None
}
