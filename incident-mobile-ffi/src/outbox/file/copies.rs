//! Corrupt files that were moved aside, and what a repair that was killed had built of one.

use std::{
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
    let newest = corrupt_files(path).pop().and_then(|name| number(path, &name)).unwrap_or(0);
    beside(path, &format!("-corrupt-{:015}", now_ms.max(newest + 1)))
}

/// Where the log goes whose file was moved aside last, before its repair was killed.
pub(crate) fn place_of_log(path: &Path, now_ms: i64) -> PathBuf {
    let moved_last = corrupt_files(path).pop().filter(|file| !beside(file, "-wal").exists());
    moved_last.unwrap_or_else(|| free_name(path, now_ms))
}

/// Removes all but the last two, and those too old: what was discarded since still stands in them.
pub(crate) fn forget_older(path: &Path, now_ms: i64) -> Result<(), OutboxError> {
    let found = corrupt_files(path);
    let beyond = found.len().saturating_sub(KEPT_CORRUPT_FILES);
    for (at, old) in found.iter().enumerate() {
        let is_old = number(path, old).is_some_and(|made_ms| made_ms < now_ms - CORRUPT_KEPT_FOR_MS);
        if at < beyond || is_old {
            forget(old)?;
        }
    }
    Ok(())
}

/// Removes all of them, and what no repair will go on with, for good. Nobody may repair meanwhile.
pub(crate) fn forget_all(path: &Path) -> Result<(), OutboxError> {
    corrupt_files(path).iter().try_for_each(|copy| forget(copy))?;
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

fn forget(copy: &Path) -> Result<(), OutboxError> {
    remove(copy)?;
    remove(&beside(copy, "-wal"))
}

fn number(path: &Path, corrupt: &Path) -> Option<i64> {
    // Version 0.1 had another word for it.
    let suffix = corrupt.to_str()?.strip_prefix(path.to_str()?)?;
    suffix.strip_prefix("-corrupt-").or_else(|| suffix.strip_prefix("-hurt-"))?.parse().ok()
}

/// Oldest first. A log that has no file counts as one, for reports stand in it, too.
fn corrupt_files(path: &Path) -> Vec<PathBuf> {
    let names = fs::read_dir(folder(path)).into_iter().flatten().flatten().map(|file| file.file_name());
    let mut found: Vec<_> = names
        .filter_map(|name| name.into_string().ok())
        .map(|name| path.with_file_name(name.strip_suffix("-wal").unwrap_or(&name)))
        .filter(|file| number(path, file).is_some())
        .collect();
    found.sort();
    found.dedup();
    found
}
