//! Names that SQLite gives a meaning to: what has one belongs to the database before it, whoever wrote it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::lock::{beside, real};
use crate::store::OpenError;

/// The log, its index, and the journal of other modes.
pub(super) const SUFFIXES: [&str; 3] = ["-wal", "-shm", "-journal"];
/// What SQLite puts on the file beside it when that is opened.
pub(super) const PUT_ON: [&str; 2] = ["-wal", "-journal"];

/// The database that is there and that a file of this name would belong to: SQLite would read, write or delete it.
pub(crate) fn database_of(file: &Path) -> Option<PathBuf> {
    let name = file.file_name()?.to_str()?;
    let before = SUFFIXES.into_iter().find_map(|suffix| name.strip_suffix(suffix))?;
    Some(file.with_file_name(before)).filter(|database| !before.is_empty() && database.is_file())
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
