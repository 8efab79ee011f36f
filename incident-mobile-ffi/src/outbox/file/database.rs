//! The open file.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::{
    super::{
        change::{Change, Reached},
        error::OutboxError,
        options::FileOptions,
    },
    copies::forget_all,
    filesystem::{Identity, beside, copy_whole, identity, make_if_missing, make_private, remove, size},
    forked::Opened,
    lock, log,
    own::{self, ErasedEntries},
    schema, whose,
};

/// 3.51.3 repairs the WAL-reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SQLITE: i32 = 3_051_003;

/// It differs whenever something in the file may: which file it is, how often others changed it, and how many rows its
/// own connection did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileMark {
    identity: Identity,
    others: i64,
    own: u64,
}

/// The open file. Every change is one transaction of [`File::write`].
pub(crate) struct File {
    options: Arc<FileOptions>,
    connection: Connection,
    path: PathBuf,
    identity: Identity,
    /// Which file its log is.
    log: Identity,
    /// Says to others that the file is in use.
    user: lock::UserLock,
    opened: Opened,
    is_let_go: bool,
    /// Whether the log may hold a part of a commit that failed.
    has_remains: bool,
}

impl File {
    /// Opens or creates. A file whose last user died is checked first.
    ///
    /// # Errors
    /// [`OutboxError::Corrupt`] where it needs repair; otherwise the file was not touched.
    pub(crate) fn open(
        path: &Path,
        options: &Arc<FileOptions>,
        user: lock::UserLock,
    ) -> Result<Self, OutboxError> {
        if rusqlite::version_number() < OLDEST_SQLITE {
            return Err(OutboxError::Unavailable("SQLite is older than 3.51.3".into()));
        }
        let left_a_log = user.alone && size(&beside(path, "-wal")) > 0;
        if left_a_log {
            whose::refuse_anothers(path)?;
            make_private(path);
            if log::is_alone(path) {
                make_if_missing(path)?; // it is moved aside with its log
                return Err(OutboxError::Corrupt);
            }
            if log::is_damaged(&beside(path, "-wal"), Some(&beside(path, "-shm")))? {
                return Err(OutboxError::Corrupt);
            }
            // SQLite deletes the log of a file that it cannot read.
            copy_whole(&beside(path, "-wal"), &beside(path, "-log"))?;
        }
        let copied = beside(path, "-log");
        let unclean = left_a_log || copied.exists() || beside(path, "-suspect").exists();
        make_if_missing(path)?;
        let opened = Opened::note(path)?;
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(options.patience)?;
        // Another program's file is refused before anything of it is changed.
        let is_current = schema::is_current(&connection)?;
        make_private(path);
        schema::set_up(&connection, options)?;
        schema::refuse_later(&connection)?; // who reads makes the log, if there is none
        let (path, options) = (path.to_owned(), options.clone());
        let (identity, log) = (identity(&path), identity(&beside(&path, "-wal")));
        let (is_let_go, has_remains) = (false, false);
        let mut file =
            Self { options, connection, path, identity, log, user, opened, is_let_go, has_remains };
        if !is_current {
            file.write(Change::Create, schema::migrate)?;
        }
        if unclean {
            file.check()?;
        }
        if file.user.alone && copied.exists() {
            // What a killed process had begun to write is not to be taken for damage some day.
            file.forget()?;
            fs::remove_file(copied)?;
        }
        file.user.share()?;
        Ok(file)
    }

    /// Whether the file needs repair, for who has locked everybody else out. The index of the log is for who has the
    /// file alone: to close it again would take the locks of another outbox of this process away (SQLite, "How To
    /// Corrupt An SQLite Database File", section 2.2).
    pub(crate) fn look(path: &Path, options: &Arc<FileOptions>, alone: bool) -> Result<(), OutboxError> {
        let index = alone.then(|| beside(path, "-shm"));
        if log::is_alone(path) || log::is_damaged(&beside(path, "-wal"), index.as_deref())? {
            return Err(OutboxError::Corrupt);
        }
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(options.patience)?;
        schema::is_current(&connection)?;
        schema::set_up(&connection, options)?;
        sound(&connection, QUICKLY)
    }

    fn check(&self) -> Result<(), OutboxError> {
        let suspect = beside(&self.path, "-suspect");
        if suspect.exists() {
            // Somebody came across damage that the quick check may not see.
            sound(&self.connection, "PRAGMA integrity_check(1)")?;
            return remove(&suspect);
        }
        sound(&self.connection, QUICKLY)
    }

    /// Whether a repair was begun that has not ended yet.
    pub(crate) fn is_let_go(&self) -> bool {
        self.is_let_go
    }

    /// Which file it is.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    pub(crate) fn read(&self) -> &Connection {
        &self.connection
    }

    /// One transaction that holds the write lock from its first statement; durable when it returns.
    ///
    /// # Errors
    /// That of `change` or of the file; then nothing happened.
    pub(crate) fn write<T>(
        &mut self,
        change_kind: Change,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let _nobody_repairs = lock::RepairLock::to_change(&self.path, self.options.patience)?;
        self.check_place()?;
        self.forget_remains();
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema::refuse_later(&transaction)?;
        let value = change(&transaction)?;
        self.options.reached(Reached::BeforeCommit(change_kind));
        if let Err(error) = transaction.commit() {
            self.has_remains = true;
            // At once, for the next to write may be another process.
            self.forget_remains();
            return Err(error.into());
        }
        self.options.reached(Reached::AfterCommit(change_kind));
        self.check_place()?;
        Ok(value)
    }

    /// Begins the log anew after a commit that failed. What that one had written would stand behind a shorter commit, and after a
    /// kill be taken for damage.
    fn forget_remains(&mut self) {
        if self.has_remains {
            self.has_remains = !self.forget().unwrap_or(false);
        }
    }

    /// Whether this process has opened the file, and not one that it was forked from.
    pub(crate) fn refuse_forked(&self) -> Result<(), OutboxError> {
        self.opened.refuse_forked()
    }

    /// Whether the open file still is the one that its path leads to, and its log the one beside it: what is written into
    /// one that was removed nobody finds.
    fn check_place(&self) -> Result<(), OutboxError> {
        self.refuse_forked()?;
        match identity(&self.path) {
            _ if self.is_let_go => Ok(()),
            found if found == self.identity && identity(&beside(&self.path, "-wal")) == self.log => Ok(()),
            None => Err(OutboxError::Unavailable(
                "the outbox's file was deleted or moved while it was open; open the outbox again".into(),
            )),
            // Another process has repaired it, or ended its log: its locks were lost, such as by a copy that this process made.
            Some(_) => Err(OutboxError::Corrupt),
        }
    }

    /// How far the file has come, as cheaply as it can be known.
    ///
    /// # Errors
    /// [`OutboxError::Corrupt`] where another process has repaired it.
    pub(crate) fn mark(&self) -> Result<FileMark, OutboxError> {
        self.check_place()?;
        let others = self.changed_by_others()?;
        Ok(FileMark { identity: self.identity, others, own: self.connection.total_changes() })
    }

    /// A number that is another one whenever another connection has changed the file.
    fn changed_by_others(&self) -> Result<i64, OutboxError> {
        let mut statement = self.connection.prepare_cached("PRAGMA data_version")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }

    /// Closes the file; whatever is asked of it later fails.
    pub(crate) fn let_go(&mut self) -> Result<(), OutboxError> {
        self.connection = Connection::open_in_memory()?;
        self.is_let_go = true;
        self.user.share()
    }

    /// Bytes in use, free pages not counted.
    pub(crate) fn bytes(connection: &Connection) -> Result<i64, OutboxError> {
        let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        Ok((pragma("page_count")? - pragma("freelist_count")?) * schema::PAGE_BYTES)
    }

    /// Empties the write-ahead log, and says whether all of it is in the file now.
    pub(crate) fn forget(&self) -> Result<bool, OutboxError> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        let is_busy: i64 = self.connection.query_row(checkpoint, [], |row| row.get(0))?;
        Ok(is_busy == 0)
    }

    /// Leaves nothing of what was erased: neither in gaps between rows, where the rebuilding of a page forgets copies,
    /// nor in the log; of anonymous entries not in corrupt files that were moved aside, either. Where that cannot be
    /// done now, such as for want of room, it is done later.
    ///
    /// # Errors
    /// [`OutboxError::Corrupt`] alone.
    pub(crate) fn compact(&mut self) -> Result<(), OutboxError> {
        let compacted = self.try_compact();
        if compacted.is_err() {
            self.has_remains = true;
            self.forget_remains();
        }
        match compacted {
            Err(OutboxError::Corrupt) => Err(OutboxError::Corrupt),
            _ => Ok(()),
        }
    }

    fn try_compact(&self) -> Result<(), OutboxError> {
        let others = self.changed_by_others()?;
        let erased = own::erased(&self.connection)?;
        if erased == ErasedEntries::None {
            return Ok(());
        }
        let _nobody_repairs = lock::RepairLock::to_change(&self.path, self.options.patience)?;
        self.check_place()?;
        if erased == ErasedEntries::Anonymous {
            forget_all(&self.path)?;
        }
        self.connection.execute_batch("VACUUM")?;
        if self.forget()? {
            self.options.reached(Reached::Compacted);
            self.note_all_gone(others)?;
        }
        Ok(())
    }

    /// Notes that nothing is left, unless another has changed the file since: it may have erased something, too, and
    /// have been killed before it did this.
    fn note_all_gone(&self, others: i64) -> Result<(), OutboxError> {
        let transaction = Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        if self.changed_by_others()? == others {
            own::all_gone(&transaction)?;
        }
        Ok(transaction.commit()?)
    }
}

const QUICKLY: &str = "PRAGMA quick_check(1)";

fn sound(connection: &Connection, check: &str) -> Result<(), OutboxError> {
    let verdict: String = connection.query_row(check, [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OutboxError::Corrupt) }
}

#[cfg(test)]
mod tests {
    use super::{super::super::options::Options, *};

    /// What tells one beginning of the log from another.
    fn salt(path: &Path) -> Vec<u8> {
        fs::read(beside(path, "-wal")).unwrap()[16..24].to_vec()
    }

    #[test]
    fn after_a_commit_that_failed_the_log_begins_anew() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("outbox");
        let options = Options::default().of_file();
        let user = lock::UserLock::take(&path, options.patience).unwrap();
        let mut file = File::open(&path, &options, user).unwrap();
        let sql = "CREATE TABLE other (n REFERENCES own DEFERRABLE INITIALLY DEFERRED)";
        let mut run =
            |sql: &str| file.write(Change::Report, |transaction| Ok(transaction.execute_batch(sql)?));
        run(sql).unwrap();
        let before = salt(&path);

        run("PRAGMA defer_foreign_keys = ON; INSERT INTO other VALUES (2)").unwrap_err();
        run("INSERT INTO other VALUES (1)").unwrap();
        let after = salt(&path);
        run("INSERT INTO other VALUES (1)").unwrap();

        assert_ne!(after, before);
        assert_eq!(salt(&path), after);
    }
}
