//! The file is opened, or looked at, and checked where its last user died.

use std::{fs, path::Path, sync::Arc};

use rusqlite::{Connection, OpenFlags};

use super::{
    super::{
        super::{change::Change, error::OutboxError, options::FileOptions},
        filesystem::{
            beside, copy_whole, identity, make_if_missing, make_private, remove, size, sync_folder,
        },
        forked::Opened,
        lock, log, owner, schema,
    },
    File,
};

/// 3.51.3 repairs the WAL-reset corruption of 3.7.0 to 3.51.2.
const OLDEST_SQLITE: i32 = 3_051_003;

const QUICKLY: &str = "PRAGMA quick_check(1)";

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
            look_through_log(path)?;
        }
        let copied = beside(path, "-log");
        let unclean = left_a_log || copied.exists() || beside(path, "-suspect").exists();
        make_if_missing(path)?;
        let opened = Opened::note(path)?;
        let connection = connect(path, options)?;
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
            // Nor is the copy to be saved from after a power cut: a report that was never acknowledged would come back.
            sync_folder(&file.path)?;
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
        let connection = connect(path, options)?;
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
}

/// Looks through the log of a process that is gone before SQLite does, and keeps a copy of it.
fn look_through_log(path: &Path) -> Result<(), OutboxError> {
    owner::refuse_foreign(path)?;
    make_private(path);
    if log::is_alone(path) {
        make_if_missing(path)?; // it is moved aside with its log
        return Err(OutboxError::Corrupt);
    }
    if log::is_damaged(&beside(path, "-wal"), Some(&beside(path, "-shm")))? {
        return Err(OutboxError::Corrupt);
    }
    // SQLite deletes the log of a file that it cannot read.
    copy_whole(&beside(path, "-wal"), &beside(path, "-log"))
}

fn connect(path: &Path, options: &FileOptions) -> Result<Connection, OutboxError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(options.patience)?;
    Ok(connection)
}

fn sound(connection: &Connection, check: &str) -> Result<(), OutboxError> {
    let verdict: String = connection.query_row(check, [], |row| row.get(0))?;
    if verdict == "ok" { Ok(()) } else { Err(OutboxError::Corrupt) }
}
