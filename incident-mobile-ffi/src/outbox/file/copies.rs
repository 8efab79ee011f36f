//! Corrupt files that were moved aside, and what a repair that was killed had built of one.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::{
    super::{
        error::OutboxError,
        limits::{CORRUPT_KEPT_FOR_MS, KEPT_CORRUPT_FILES},
    },
    filesystem::{beside, folder, remove, sync_folder},
};

/// What stands beside the file while a repair builds a new one.
const BUILDING: [&str; 5] =
    ["-building", "-building-wal", "-building-shm", "-building-users", "-building-repair"];

/// A name for a corrupt file: later ones sort after earlier ones.
pub(crate) fn free_name(path: &Path, now_ms: i64) -> PathBuf {
    let newest_ms = corrupt_files(path).pop().map_or(0, |newest| newest.made_ms);
    beside(path, &format!("-corrupt-{:015}", now_ms.max(newest_ms.saturating_add(1))))
}

/// Where the log goes whose file was moved aside last, before its repair was killed.
pub(crate) fn path_for_log(path: &Path, now_ms: i64) -> PathBuf {
    let moved_last = corrupt_files(path).pop().map(|newest| newest.file);
    moved_last.filter(|file| !beside(file, "-wal").exists()).unwrap_or_else(|| free_name(path, now_ms))
}

/// Removes all but the last two, and those too old: what was discarded since still stands in them. One that is as far in
/// the future was made when the clock was wrong, and nobody knows when.
pub(crate) fn forget_older(path: &Path, now_ms: i64) -> Result<(), OutboxError> {
    let found = corrupt_files(path);
    let beyond = found.len().saturating_sub(KEPT_CORRUPT_FILES);
    for (at, old) in found.iter().enumerate() {
        let is_old = old.made_ms.saturating_sub(now_ms).saturating_abs() > CORRUPT_KEPT_FOR_MS;
        if at < beyond || is_old {
            old.forget()?;
        }
    }
    Ok(())
}

/// Removes all of them, and what no repair will go on with, for good. Nobody may repair meanwhile.
pub(crate) fn forget_all(path: &Path) -> Result<(), OutboxError> {
    corrupt_files(path).iter().try_for_each(CorruptFile::forget)?;
    forget_built(path)?;
    sync_folder(path)
}

/// Removes what a repair had built that was killed before it moved the corrupt file, or is about to build anew.
pub(crate) fn forget_built(path: &Path) -> Result<(), OutboxError> {
    forget_building(path)?;
    remove(&beside(path, "-saved"))
}

/// Removes what is not needed any more once the new file is complete.
pub(crate) fn forget_building(path: &Path) -> Result<(), OutboxError> {
    BUILDING.iter().try_for_each(|suffix| remove(&beside(path, suffix)))
}

/// A corrupt file that was moved aside.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct CorruptFile {
    made_ms: i64,
    file: PathBuf,
}

impl CorruptFile {
    /// The one of the outbox at `path` that has this name, or whose log has it.
    fn named(path: &Path, name: &OsStr) -> Option<Self> {
        // No name need be UTF-8, but what an outbox puts behind its own is.
        let own = path.file_name()?.as_encoded_bytes();
        let suffix = str::from_utf8(name.as_encoded_bytes().strip_prefix(own)?).ok()?;
        let suffix = suffix.strip_suffix("-wal").unwrap_or(suffix);
        // Version 0.1 had another word for it.
        let number = suffix.strip_prefix("-corrupt-").or_else(|| suffix.strip_prefix("-hurt-"))?;
        Some(Self { made_ms: number.parse().ok()?, file: beside(path, suffix) })
    }

    fn forget(&self) -> Result<(), OutboxError> {
        remove(&self.file)?;
        remove(&beside(&self.file, "-wal"))
    }
}

/// Oldest first. A log that has no file counts as one, for reports stand in it, too.
fn corrupt_files(path: &Path) -> Vec<CorruptFile> {
    let names = fs::read_dir(folder(path)).into_iter().flatten().flatten().map(|file| file.file_name());
    let mut found: Vec<_> = names.filter_map(|name| CorruptFile::named(path, &name)).collect();
    found.sort();
    found.dedup();
    found
}
