//! Names that SQLite gives a meaning to: what has one belongs to the database before it, whoever wrote it.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

use super::lock::{beside, real};
use crate::store::OpenError;

/// The log, its index, and the journal of other modes.
pub(super) const SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What SQLite puts on the file beside it when that is opened.
pub(super) const PUT_ON: [&str; 2] = ["-wal", "-journal"];

/// With these every database begins (SQLite's file format, section 1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";

/// SQLite would take a file of this name for a part of a database, and read, write or delete it.
#[derive(Debug, thiserror::Error)]
#[error("{} is a name that belongs to the database {}; name another file", file.display(), database.display())]
pub(crate) struct NameBelongs {
    file: PathBuf,
    database: PathBuf,
}

/// Refuses a new file the name of what belongs to a database that is there.
pub(crate) fn refuse_name_of_a_part(file: &Path) -> Result<(), NameBelongs> {
    let name = file.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let before = SUFFIXES.into_iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or_default();
    let database = file.with_file_name(before);
    if before.is_empty() || !database.is_file() {
        return Ok(());
    }
    Err(NameBelongs { file: file.to_owned(), database })
}

/// What SQLite would put on a database in this new file.
pub(super) fn left_beside(file: &Path) -> Option<PathBuf> {
    PUT_ON.into_iter().map(|suffix| beside(file, suffix)).find(|left| left.exists())
}

/// SQLite takes for an empty database, and writes over or deletes, what is none: a file that is too short for a
/// header, and a log whose database is missing or empty, which may alone hold what was acknowledged last.
///
/// # Errors
/// It is such a file, or without its database.
pub(super) fn refuse_seemingly_empty(database: &Path) -> Result<(), OpenError> {
    let size = |file: &Path| fs::metadata(file).map_or(0, |found| found.len());
    let database = &*real(database);
    let log = beside(database, "-wal");
    if !may_be_database(database) {
        return Err(OpenError::NoDatabase(database.to_owned()));
    }
    if size(database) == 0 && size(&log) > 0 { Err(OpenError::LoneLog(log)) } else { Ok(()) }
}

/// Whether a file begins as SQLite's do, or there is nothing in it; or will be once SQLite has put the journal on it that a
/// cut power left, such as of the very first pages. What cannot be read is told by who opens it.
pub(super) fn may_be_database(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut head));
    read.is_err() || head.is_empty() || head == MAGIC || beside(file, "-journal").exists()
}
