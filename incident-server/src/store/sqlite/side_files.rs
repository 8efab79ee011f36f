//! Names that SQLite gives a meaning to: what has one belongs to the database before it, whoever wrote it.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::lock::{beside, real};
use crate::store::OpenError;

/// The log, its index, and the journal of other modes.
pub(super) const SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What SQLite puts on the file beside it when that is opened.
pub(super) const PUT_ON: [&str; 2] = ["-wal", "-journal"];

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

/// A log holds what was acknowledged last, and SQLite deletes one whose database is missing or empty.
///
/// # Errors
/// It is without its database.
pub(super) fn refuse_lone_log(database: &Path) -> Result<(), OpenError> {
    let size = |file: &Path| fs::metadata(file).map_or(0, |found| found.len());
    let database = &*real(database);
    let log = beside(database, "-wal");
    if size(database) == 0 && size(&log) > 0 { Err(OpenError::LoneLog(log)) } else { Ok(()) }
}
