//! A corrupt file is moved aside, and every row that can be read goes into a new one.
//!
//! The order of the steps lets the process be killed between any two: the new file is complete before the corrupt
//! one moves, and a finished new one without the old beside it only has to be put in its place. The folder is synced
//! between the steps, so that a power cut undoes none of them that another one relies on.

use std::{fs, path::Path, sync::Arc, time::Duration};

use super::{
    super::{
        change::{Change, Reached, RepairStep},
        error::OutboxError,
        options::FileOptions,
    },
    copies::{forget_building, forget_built, forget_older, free_name, path_for_log},
    database::File,
    filesystem::{Identity, beside, identity, make_private, private, remove, sync_folder},
    lock::{OpeningLock, RepairLock, UserLock},
    merge::{count, merge_row},
    own, reserved,
    salvage::Salvaged,
    schema,
};

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
    open_in_turn(path, options, None, now_ms)
}

/// Opens anew a file that turned out `corrupt` while it was open.
pub(crate) fn reopen(
    path: &Path,
    options: &Arc<FileOptions>,
    corrupt: Identity,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    private().create(true).truncate(true).open(beside(path, "-suspect"))?;
    open_in_turn(path, options, Some(corrupt), now_ms)
}

fn open_in_turn(
    path: &Path,
    options: &Arc<FileOptions>,
    corrupt: Option<Identity>,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    let opening = OpeningLock::take(path, options.patience)?;
    let opened = open_next(path, options, corrupt, now_ms);
    if opened.is_err() {
        opening.refused(path);
    }
    opened
}

/// Opens the file while nobody else does.
fn open_next(
    path: &Path,
    options: &Arc<FileOptions>,
    corrupt: Option<Identity>,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    // Held through a repair: another who opened the file meanwhile would end its log at the damage.
    let user = UserLock::take(path, options.patience)?;
    forget_older(path, now_ms)?;
    let found = identity(path);
    match open_whole(path, options, &user, now_ms) {
        Err(OutboxError::Corrupt) => open_repaired(path, options, &user, found, now_ms),
        // No check found what was come across before; the app is told no second time to ask again.
        Ok(file) if corrupt == Some(file.identity()) => {
            drop(file);
            open_repaired(path, options, &user, found, now_ms)
        }
        opened => Ok((opened?, None)),
    }
}

fn open_repaired(
    path: &Path,
    options: &Arc<FileOptions>,
    user: &UserLock,
    found: Identity,
    now_ms: i64,
) -> Result<(File, Option<Recovery>), OutboxError> {
    let recovery = repair_alone(path, options, user, found, now_ms)?;
    Ok((open_whole(path, options, user, now_ms)?, recovery))
}

fn open_whole(
    path: &Path,
    options: &Arc<FileOptions>,
    user: &UserLock,
    now_ms: i64,
) -> Result<File, OutboxError> {
    let _nobody_repairs = after_repair(path, options.patience, now_ms)?;
    let file = File::open(path, options, user.again()?)?;
    // Whatever a repair that was killed had saved stands in this file, too.
    forget_built(path)?;
    Ok(file)
}

/// Waits until nobody repairs. In the midst of a repair the path leads to no file: one made there would keep what was
/// saved from its place.
fn after_repair(path: &Path, patience: Duration, now_ms: i64) -> Result<RepairLock, OutboxError> {
    loop {
        let nobody_repairs = RepairLock::to_change(path, patience)?;
        if !is_cut_short(path) {
            return Ok(nobody_repairs);
        }
        drop(nobody_repairs);
        put_in_place(path, patience, now_ms)?;
    }
}

fn repair_alone(
    path: &Path,
    options: &Arc<FileOptions>,
    user: &UserLock,
    found: Identity,
    now_ms: i64,
) -> Result<Option<Recovery>, OutboxError> {
    let _alone = RepairLock::to_repair(path, options.patience)?;
    match File::look(path, options, user.alone) {
        // Another process has repaired it while this one waited.
        Ok(()) if identity(path) != found => Ok(None),
        // Not every damage shows to who only looks.
        Ok(()) | Err(OutboxError::Corrupt) => {
            schema::refuse_later_head(path)?;
            repair(path, options, now_ms).map(Some)
        }
        Err(error) => Err(error),
    }
}

/// Whether a repair was killed when all was saved and the corrupt file gone.
fn is_cut_short(path: &Path) -> bool {
    !path.exists() && beside(path, "-saved").exists()
}

/// Ends such a repair, unless another process has done so.
fn put_in_place(path: &Path, patience: Duration, now_ms: i64) -> Result<(), OutboxError> {
    let _alone = RepairLock::to_repair(path, patience)?;
    if !is_cut_short(path) {
        return Ok(());
    }
    // The log of the corrupt file must never be applied to the new one.
    move_log(path, &path_for_log(path, now_ms))?;
    rename_for_good(&beside(path, "-saved"), path)
}

/// Renames a file, and what was renamed or removed in its folder before stays so.
fn rename_for_good(from: &Path, to: &Path) -> Result<(), OutboxError> {
    sync_folder(to)?;
    fs::rename(from, to)?;
    sync_folder(to)
}

fn repair(path: &Path, options: &Arc<FileOptions>, now_ms: i64) -> Result<Recovery, OutboxError> {
    let salvaged = Salvaged::from_files(path, &[beside(path, "-log"), beside(path, "-wal")])?;
    let (saved, lost) = build(&salvaged, path, options)?;
    options.reached(Reached::Repair(RepairStep::Saved));
    let moved_to = free_name(path, now_ms);
    // Whoever could read it before shall not read it on.
    make_private(path);
    rename_for_good(path, &moved_to)?;
    options.reached(Reached::Repair(RepairStep::Moved));
    move_log(path, &moved_to)?;
    options.reached(Reached::Repair(RepairStep::LogMoved));
    rename_for_good(&beside(path, "-saved"), path)?;
    options.reached(Reached::Repair(RepairStep::InPlace));
    remove(&beside(path, "-suspect"))?;
    remove(&beside(path, "-log"))?;
    forget_older(path, now_ms)?;
    Ok(Recovery { saved, lost, moved_to: moved_to.display().to_string() })
}

/// Writes the rows into a new file that is complete once it has its name. Says how many there are, and how many are
/// known to be missing.
fn build(salvaged: &Salvaged, path: &Path, options: &Arc<FileOptions>) -> Result<(i64, i64), OutboxError> {
    let building = beside(path, "-building");
    forget_built(path)?;
    let mut file = File::open(&building, options, UserLock::take(&building, options.patience)?)?;
    let counts = file.write(Change::Salvage, |transaction| {
        if let Some((sealing, marking)) = &salvaged.secrets {
            own::restore(transaction, sealing, marking)?;
        }
        // When the last named report went is not known any more: as long as that may matter.
        own::set_anonymous_after_ms(transaction, i64::MAX)?;
        for (mark, until_ms) in &salvaged.marks {
            reserved::put(transaction, mark, *until_ms)?;
        }
        salvaged.each_row(|row| merge_row(transaction, salvaged, &row))?;
        count(transaction, salvaged)
    })?;
    // Closing it would say nothing where there is no room for that, and the log goes below.
    if !file.forget()? {
        return Err(OutboxError::Unavailable("somebody reads the file that a repair is making".into()));
    }
    drop(file);
    fs::rename(building, beside(path, "-saved"))?;
    forget_building(path)?;
    Ok(counts)
}

fn move_log(path: &Path, moved_to: &Path) -> Result<(), OutboxError> {
    let log = beside(path, "-wal");
    if log.exists() {
        fs::rename(log, beside(moved_to, "-wal"))?;
    }
    remove(&beside(path, "-shm"))
}
