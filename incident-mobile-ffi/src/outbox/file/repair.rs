//! A hurt file is moved aside, and every row that can be read goes into a new one.
//!
//! The order of the steps lets the process be killed between any two: the new file is complete before the hurt
//! one moves, and a finished new one without the old beside it only has to be put in its place.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::params;

use super::{
    super::{Options, OutboxError},
    File, beside,
    carve::{Carved, Row},
};

/// How many hurt files are kept.
const KEPT: usize = 2;

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

/// Opens the file, repairing it first where it is hurt.
pub(in super::super) fn open(
    path: &Path,
    options: &Options,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    put_in_place(path, now_ms)?;
    match File::open(path, options) {
        Err(OutboxError::Corrupt) => {
            let _alone = lock(path)?;
            // Another process may have repaired it while this one waited.
            match File::open(path, options) {
                Err(OutboxError::Corrupt) => {
                    let recovery = repair(path, options, now_ms)?;
                    Ok((File::open(path, options)?, Some(recovery)))
                }
                opened => Ok((opened?, None)),
            }
        }
        opened => Ok((opened?, None)),
    }
}

/// Opens anew a file that turned out hurt while it was open.
pub(in super::super) fn reopen(
    path: &Path,
    options: &Options,
) -> Result<(File, Option<Recovery>), OutboxError> {
    fs::write(beside(path, "-suspect"), b"")?;
    open(path, options, 0)
}

/// Repairs go one after the other; the lock ends with the process.
#[cfg(unix)]
fn lock(path: &Path) -> Result<fs::File, OutboxError> {
    let file = fs::File::create(beside(path, "-repair"))?;
    // `std::fs::File::lock` is not supported on Android.
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).map_err(std::io::Error::from)?;
    Ok(file)
}

#[cfg(not(unix))]
fn lock(path: &Path) -> Result<fs::File, OutboxError> {
    Ok(fs::File::create(beside(path, "-repair"))?)
}

/// Ends a repair that was killed when all was saved and the hurt file gone.
fn put_in_place(path: &Path, now_ms: i64) -> Result<(), OutboxError> {
    let saved = beside(path, "-saved");
    if path.exists() || !saved.exists() {
        return Ok(());
    }
    let _alone = lock(path)?;
    // The log of the hurt file must never be applied to the new one.
    move_log(path, &free_name(path, now_ms))?;
    Ok(fs::rename(saved, path)?)
}

fn repair(path: &Path, options: &Options, now_ms: i64) -> Result<Recovery, OutboxError> {
    let carved = Carved::from_files(path, &beside(path, "-wal"))?;
    let saved = build(&carved, path, options)?;
    options.reached("repair", "saved");
    let moved_to = free_name(path, now_ms);
    fs::rename(path, &moved_to)?;
    options.reached("repair", "moved");
    move_log(path, &moved_to)?;
    options.reached("repair", "log moved");
    fs::rename(beside(path, "-saved"), path)?;
    options.reached("repair", "in place");
    remove(&beside(path, "-suspect"))?;
    forget_older(path)?;
    Ok(Recovery { saved, lost: carved.lost(), moved_to: moved_to.display().to_string() })
}

/// Writes the rows into a new file that is complete once it has its name.
fn build(carved: &Carved, path: &Path, options: &Options) -> Result<i64, OutboxError> {
    let building = beside(path, "-building");
    for suffix in ["-building", "-building-wal", "-building-shm", "-saved"] {
        remove(&beside(path, suffix))?;
    }
    let mut file = File::open(&building, options)?;
    let saved = file.write(options, "salvage", |transaction| {
        let sql = "INSERT INTO entry (reporter, key, created_at_ms, revision, state, anonymous, payload,
                                      reported_at_ms, changed_at_ms, attempts, problem, incident)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let mut statement = transaction.prepare(sql)?;
        for row in carved.rows() {
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
        Ok(carved.rows().count())
    })?;
    drop(file);
    fs::rename(building, beside(path, "-saved"))?;
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

/// A name for a hurt file: later ones sort after earlier ones.
fn free_name(path: &Path, now_ms: i64) -> PathBuf {
    let newest = hurt_files(path).pop().and_then(|name| number(path, &name)).unwrap_or(0);
    beside(path, &format!("-hurt-{:015}", now_ms.max(newest + 1)))
}

fn number(path: &Path, hurt: &Path) -> Option<i64> {
    let name = hurt.to_str()?.strip_prefix(beside(path, "-hurt-").to_str()?)?;
    name.parse().ok()
}

fn hurt_files(path: &Path) -> Vec<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<_> = files
        .map(|file| path.with_file_name(file.file_name()))
        .filter(|file| number(path, file).is_some())
        .collect();
    found.sort();
    found
}

fn forget_older(path: &Path) -> Result<(), OutboxError> {
    let found = hurt_files(path);
    for old in &found[..found.len().saturating_sub(KEPT)] {
        remove(old)?;
        remove(&beside(old, "-wal"))?;
    }
    Ok(())
}
