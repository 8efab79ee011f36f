//! A corrupt file is moved aside, and every row that can be read goes into a new one.
//!
//! The order of the steps lets the process be killed between any two: the new file is complete before the corrupt
//! one moves, and a finished new one without the old beside it only has to be put in its place.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::params;

use super::{
    super::{
        change::{Change, Reached, RepairStep},
        error::OutboxError,
        limits::{CORRUPT_KEPT_FOR_MS, KEPT_CORRUPT_FILES},
        options::FileOptions,
    },
    database::File,
    lock::RepairLock,
    place::beside,
    salvage::{Row, Salvaged},
};

/// What stands beside a file that is being built.
const HELPERS: [&str; 4] = ["-building-wal", "-building-shm", "-building-users", "-building-repair"];

/// What was saved from a corrupt file.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recovery {
    /// Entries that were saved.
    pub saved: i64,
    /// Entries that are known to have been there and could not be read.
    pub lost: i64,
    /// Where the corrupt file is kept for a while.
    pub moved_to: String,
}

/// Opens the file, repairing it first where it is corrupt.
pub(crate) fn open(
    path: &Path,
    options: &Arc<FileOptions>,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    put_in_place(path, now_ms)?;
    forget_older(path, now_ms)?;
    match File::open(path, options) {
        Err(OutboxError::Corrupt) => {
            let recovery = repair_alone(path, options, now_ms)?;
            Ok((File::open(path, options)?, recovery))
        }
        opened => Ok((opened?, None)),
    }
}

fn repair_alone(
    path: &Path,
    options: &Arc<FileOptions>,
    now_ms: i64,
) -> Result<Option<Recovery>, OutboxError> {
    let _alone = RepairLock::to_repair(path)?;
    // Another process may have repaired it while this one waited.
    match File::look(path, options) {
        Err(OutboxError::Corrupt) => repair(path, options, now_ms).map(Some),
        looked => looked.map(|()| None),
    }
}

/// Opens anew a file that turned out corrupt while it was open.
pub(crate) fn reopen(
    path: &Path,
    options: &Arc<FileOptions>,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    fs::write(beside(path, "-suspect"), b"")?;
    open(path, options, now_ms)
}

/// Ends a repair that was killed when all was saved and the corrupt file gone.
fn put_in_place(path: &Path, now_ms: i64) -> Result<(), OutboxError> {
    let saved = beside(path, "-saved");
    if path.exists() || !saved.exists() {
        return Ok(());
    }
    let _alone = RepairLock::to_repair(path)?;
    // The log of the corrupt file must never be applied to the new one.
    move_log(path, &free_name(path, now_ms))?;
    Ok(fs::rename(saved, path)?)
}

fn repair(path: &Path, options: &Arc<FileOptions>, now_ms: i64) -> Result<Recovery, OutboxError> {
    let salvaged = Salvaged::from_files(path, &[beside(path, "-log"), beside(path, "-wal")])?;
    let saved = build(&salvaged, path, options)?;
    options.reached(Reached::Repair(RepairStep::Saved));
    let moved_to = free_name(path, now_ms);
    fs::rename(path, &moved_to)?;
    options.reached(Reached::Repair(RepairStep::Moved));
    move_log(path, &moved_to)?;
    options.reached(Reached::Repair(RepairStep::LogMoved));
    fs::rename(beside(path, "-saved"), path)?;
    options.reached(Reached::Repair(RepairStep::InPlace));
    remove(&beside(path, "-suspect"))?;
    remove(&beside(path, "-log"))?;
    forget_older(path, now_ms)?;
    Ok(Recovery { saved, lost: salvaged.lost(), moved_to: moved_to.display().to_string() })
}

/// Writes the rows into a new file that is complete once it has its name.
fn build(salvaged: &Salvaged, path: &Path, options: &Arc<FileOptions>) -> Result<i64, OutboxError> {
    let building = beside(path, "-building");
    for suffix in [&HELPERS[..], &["-building", "-saved"]].concat() {
        remove(&beside(path, suffix))?;
    }
    let mut file = File::open(&building, options)?;
    let saved = file.write(Change::Salvage, |transaction| {
        let sql = "INSERT INTO entry (reporter, key, created_at_ms, revision, state, anonymous, payload,
                                      reported_at_ms, changed_at_ms, attempts, problem, incident)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let mut statement = transaction.prepare(sql)?;
        for row in salvaged.rows() {
            let Row { reporter, key, payload, revision, state, times, attempts, problem, incident, .. } = row;
            let facts = &payload.facts;
            statement.execute(params![
                reporter.as_str(),
                key.to_string(),
                facts.created_at.unix_ms(),
                revision,
                state,
                facts.is_anonymous,
                payload.to_canonical_json(),
                times.0,
                times.1,
                attempts,
                problem,
                incident,
            ])?;
        }
        Ok(salvaged.rows().count())
    })?;
    drop(file);
    fs::rename(building, beside(path, "-saved"))?;
    for suffix in HELPERS {
        remove(&beside(path, suffix))?;
    }
    Ok(i64::try_from(saved).unwrap_or(i64::MAX))
}

fn move_log(path: &Path, moved_to: &Path) -> Result<(), OutboxError> {
    let log = beside(path, "-wal");
    if log.exists() {
        fs::rename(log, beside(moved_to, "-wal"))?;
    }
    remove(&beside(path, "-shm"))
}

fn remove(path: &Path) -> Result<(), OutboxError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// A name for a corrupt file: later ones sort after earlier ones.
fn free_name(path: &Path, now_ms: i64) -> PathBuf {
    let newest = corrupt_files(path).pop().and_then(|name| number(path, &name)).unwrap_or(0);
    beside(path, &format!("-corrupt-{:015}", now_ms.max(newest + 1)))
}

fn number(path: &Path, corrupt: &Path) -> Option<i64> {
    // Version 0.1 had another word for it.
    let suffix = corrupt.to_str()?.strip_prefix(path.to_str()?)?;
    suffix.strip_prefix("-corrupt-").or_else(|| suffix.strip_prefix("-hurt-"))?.parse().ok()
}

fn corrupt_files(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = files
        .map(|file| path.with_file_name(file.file_name()))
        .filter(|file| number(path, file).is_some())
        .collect();
    found.sort();
    found
}

/// Removes all but the last two, and those too old: what was discarded since still stands in them.
fn forget_older(path: &Path, now_ms: i64) -> Result<(), OutboxError> {
    let found = corrupt_files(path);
    let beyond = found.len().saturating_sub(KEPT_CORRUPT_FILES);
    for (at, old) in found.iter().enumerate() {
        let is_old = number(path, old).is_some_and(|made_ms| made_ms < now_ms - CORRUPT_KEPT_FOR_MS);
        if at < beyond || is_old {
            remove(old)?;
            remove(&beside(old, "-wal"))?;
        }
    }
    Ok(())
}
