//! The open file: what reads it, and the one way to change it.

mod compact;
mod open;

use std::{path::PathBuf, sync::Arc};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::{
    super::{
        change::{Change, Reached},
        error::OutboxError,
        options::FileOptions,
    },
    filesystem::{Identity, beside, identity},
    forked::Opened,
    lock, schema,
};

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
        self.check_identity()?;
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
        self.check_identity()?;
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
    fn check_identity(&self) -> Result<(), OutboxError> {
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
        self.check_identity()?;
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
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

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
