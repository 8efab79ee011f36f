//! Connections whose files are no more, for the next file of that name.
//!
//! Half of a short history would go into reading the tables of each file that is opened, and into parsing statements. So a
//! connection that is closed when nobody will look at its file again is put aside, and whoever opens a file of that name
//! gets it, with the statements that it had prepared. What is remembered of the file itself is thrown away: the index of
//! its log and all pages. What is closed within a history, with its file to be used on, is closed.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString, c_int},
    fs, io, mem,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt},
    },
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use libsqlite3_sys::SQLITE_OPEN_READWRITE;

use crate::{disk::beside, failing};

/// What a log's index begins with ("WAL-Index Format", section 2.1 at sqlite.org/walformat.html).
const INDEX_HEADER: [u8; 136] = [0; 136];
/// So long a connection may take to close when its server has been dropped.
const LONGEST_CLOSE: Duration = Duration::from_secs(5);

/// What is run in place of a setting that is made.
const NOTHING: &[u8] = b"SELECT 0 WHERE 0";

/// A statement as it was prepared, and where in the text the next one begins.
type Prepared = (Arc<[u8]>, usize);

pub(crate) struct Known {
    /// As SQLite was given it.
    pub(crate) file: OsString,
    /// Which file that was: after a repair another one has its name.
    inode: Option<u64>,
    flags: c_int,
    is_open: bool,
    /// Whether this history has had it.
    was_open: bool,
    pub(crate) in_use: BTreeMap<usize, Prepared>,
    pub(crate) at_rest: BTreeMap<Arc<[u8]>, Vec<(usize, usize)>>,
    /// What was set last, of what stays so.
    settings: BTreeMap<&'static [u8], Arc<[u8]>>,
    has_few_pages: bool,
}

pub(crate) struct Connections {
    pub(crate) known: BTreeMap<usize, Known>,
    /// The file of each that is being closed.
    closing: Vec<OsString>,
    /// Files and folders that nobody will look at again.
    over: Vec<OsString>,
    /// Folders whose connections are closed whenever somebody closes them.
    apart: Vec<OsString>,
}

static CONNECTIONS: Mutex<Connections> = Mutex::new(Connections {
    known: BTreeMap::new(),
    closing: Vec::new(),
    over: Vec::new(),
    apart: Vec::new(),
});
pub(crate) static CLOSED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Connections> {
    CONNECTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn connections<T>(look: impl FnOnce(&mut Connections) -> T) -> T {
    look(&mut lock())
}

/// Nobody will look at this file, or at any in this folder, again.
pub(crate) fn is_over(path: &Path) {
    connections(|all| {
        if !all.apart.iter().any(|apart| is_in(path.as_os_str(), apart)) {
            all.over.push(path.into());
        }
    });
}

/// From here on no connection to a file in this folder is put aside, or it is as others again.
pub(crate) fn set_apart(folder: &Path, is_apart: bool) {
    connections(|all| {
        all.apart.retain(|apart| apart != folder.as_os_str());
        all.apart.extend(is_apart.then(|| folder.into()));
    });
}

/// Whether all connections to this file, or to files of this folder, are closed; waits for those that are about to be.
pub(crate) fn all_closed(folder: &Path) -> bool {
    wait_while(|all| all.is_any_open(folder.as_os_str(), |_| true))
}

/// Whether no connection that writes has this file open; waits for one that is about to be closed.
pub(crate) fn writer_is_closed(file: &Path) -> bool {
    let writes = |known: &Known| known.flags & SQLITE_OPEN_READWRITE != 0;
    wait_while(|all| all.is_any_open(file.as_os_str(), writes))
}

fn wait_while(is_open: impl Fn(&Connections) -> bool) -> bool {
    let waited = CLOSED.wait_timeout_while(lock(), LONGEST_CLOSE, |all| is_open(all));
    !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
}

/// Whether a connection has this file open.
pub(crate) fn is_open(file: &Path) -> bool {
    connections(|all| all.is_any_open(file.as_os_str(), |_| true))
}

/// Makes a folder as good as empty. Files that are put aside stay, with nothing in their logs, until one of their name takes
/// their place.
///
/// # Errors
/// It cannot be read or written.
pub(crate) fn empty(folder: &Path) -> io::Result<()> {
    let mut aside = BTreeMap::<_, bool>::new();
    connections(|all| {
        all.over.retain(|over| !is_in(over, folder.as_os_str()));
        for known in all.known.values_mut().filter(|known| is_in(&known.file, folder.as_os_str())) {
            *aside.entry(known.file.clone()).or_default() |= mem::take(&mut known.was_open);
        }
    });
    let logs = aside.keys().flat_map(|file| ["-shm", "-wal"].map(|suffix| beside(Path::new(file), suffix)));
    let logs: BTreeSet<_> = logs.collect();
    for file in fs::read_dir(folder)? {
        let file = file?.path();
        if !aside.contains_key(file.as_os_str()) && !logs.contains(&file) {
            fs::remove_file(file)?;
        }
    }
    aside.iter().filter(|(_, was_open)| **was_open).try_for_each(|(file, _)| forget_log(Path::new(file)))
}

/// Leaves nothing in a log, whose files others have open.
fn forget_log(file: &Path) -> io::Result<()> {
    forget_index(file);
    let log = beside(file, "-wal");
    if log.exists() { fs::File::create(log).map(drop) } else { Ok(()) }
}

fn inode(file: &OsStr) -> Option<u64> {
    fs::metadata(file).ok().map(|found| found.ino())
}

/// Whether a file is this one, or in this folder.
fn is_in(file: &OsStr, folder: &OsStr) -> bool {
    let rest = file.as_bytes().strip_prefix(folder.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

impl Connections {
    fn is_any_open(&self, path: &OsStr, wanted: impl Fn(&Known) -> bool) -> bool {
        let mut open = self.known.values().filter(|known| known.is_open && wanted(known));
        open.any(|known| is_in(&known.file, path)) || self.closing.iter().any(|file| is_in(file, path))
    }

    /// One that is put aside, if there is one; it is open from here on.
    pub(crate) fn take(&mut self, file: &OsStr, flags: c_int) -> Option<usize> {
        let inode = inode(file);
        let mut known = self.known.iter_mut();
        let (db, spare) = known.find(|(_, known)| {
            !known.is_open && known.file == file && known.flags == flags && known.inode == inode
        })?;
        (spare.is_open, spare.was_open) = (true, true);
        Some(*db)
    }

    /// Whether connections to a file are put aside and none is open.
    pub(crate) fn all_aside(&self, file: &OsStr) -> bool {
        let mut here = self.known.values().filter(|known| known.file == file).peekable();
        here.peek().is_some() && here.all(|known| !known.is_open)
    }

    /// Puts it aside; otherwise those that have to be closed, with their statements.
    pub(crate) fn close(&mut self, db: usize, is_at_rest: bool) -> Option<Vec<(usize, Known)>> {
        let Some(known) = self.known.get_mut(&db) else { return Some(Vec::new()) };
        let is_over = self.over.iter().any(|over| is_in(&known.file, over));
        let is_well = failing::failed(Path::new(&known.file)) == 0;
        if is_over && is_at_rest && is_well && known.in_use.is_empty() && !known.has_few_pages {
            known.is_open = false;
            return None;
        }
        let file = known.file.clone();
        self.closing.push(file.clone());
        known.is_open = false;
        let is_last = !self.known.values().any(|other| other.is_open && other.file == file);
        // The last one to close ends the log, so that there must be none aside.
        let closes = |at: usize, other: &Known| at == db || is_last && other.file == file;
        Some(self.known.extract_if(.., |at, other| closes(*at, other)).collect())
    }

    /// One of this file has been closed.
    pub(crate) fn has_closed(&mut self, file: &OsStr) {
        let at = self.closing.iter().position(|closing| closing == file);
        at.map(|at| self.closing.swap_remove(at));
    }
}

/// Whether a statement does all that it does when it is run. A setting is made when it is prepared.
pub(crate) fn can_rest(sql: &[u8]) -> bool {
    const VERBS: [&[u8]; 8] = [
        b"CREATE TABLE IF NOT EXISTS",
        b"SELECT",
        b"INSERT",
        b"UPDATE",
        b"DELETE",
        b"BEGIN",
        b"COMMIT",
        b"ROLLBACK",
    ];
    const VALUES: [&[u8]; 3] = [b"PRAGMA user_version", b"PRAGMA data_version", NOTHING];
    let sql = sql.trim_ascii_start();
    VERBS.iter().any(|verb| sql.starts_with(verb)) || VALUES.contains(&sql)
}

/// The name of a setting that stays as it is, and its text up to the end. To make it once more is to have all statements
/// parsed anew.
fn setting(sql: &[u8]) -> Option<(&'static [u8], &[u8])> {
    const NAMES: [&[u8]; 4] = [b"foreign_keys", b"fullfsync", b"cell_size_check", b"trusted_schema"];
    let text = &sql[..=sql.iter().position(|byte| *byte == b';')?];
    let begins = text.trim_ascii_start().strip_prefix(b"PRAGMA ")?;
    NAMES.into_iter().find(|name| begins.starts_with(name)).map(|name| (name, text))
}

/// Whoever opens a file first begins the index of its log anew; those who are put aside have it still.
pub(crate) fn forget_index(file: &Path) {
    if let Ok(index) = fs::OpenOptions::new().write(true).open(beside(file, "-shm")) {
        index.write_all_at(&INDEX_HEADER, 0).expect("the index of a log is memory");
    }
}

impl Connections {
    /// What is to be prepared in place of this text, and where the next statement begins if that is not for SQLite to say.
    pub(crate) fn instead<'t>(&mut self, db: usize, text: &'t [u8]) -> (&'t [u8], Option<usize>) {
        let Some(known) = self.known.get_mut(&db) else { return (text, None) };
        known.has_few_pages |= text.starts_with(b"PRAGMA max_page_count");
        let Some((name, setting)) = setting(text) else { return (text, None) };
        let before = known.settings.insert(name, Arc::from(setting));
        if before.as_deref() == Some(setting) { (NOTHING, Some(setting.len())) } else { (text, None) }
    }
}

impl Known {
    pub(crate) fn new(file: OsString, flags: c_int) -> Self {
        Self {
            inode: inode(&file),
            file,
            flags,
            is_open: true,
            was_open: true,
            in_use: BTreeMap::new(),
            at_rest: BTreeMap::new(),
            settings: BTreeMap::new(),
            has_few_pages: false,
        }
    }

    /// A statement of this text that nobody uses, and where the next one begins.
    pub(crate) fn wake(&mut self, text: &[u8]) -> Option<(usize, usize)> {
        let (text, statements) =
            self.at_rest.get_key_value(text).map(|(text, _)| Arc::clone(text)).and_then(|text| {
                let statements = self.at_rest.get_mut(&text)?;
                Some((text, statements))
            })?;
        let (statement, end) = statements.pop()?;
        self.in_use.insert(statement, (text, end));
        Some((statement, end))
    }
}
