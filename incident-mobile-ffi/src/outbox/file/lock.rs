//! Locks between processes, and between two outboxes of one: they end with their holder.

use std::{fs, path::Path};

use super::{
    super::error::OutboxError,
    filesystem::{beside, private},
};

/// Held by everybody who changes the file, and alone by who repairs it: nobody can commit into a file that is about
/// to be moved.
#[derive(Debug)]
pub(crate) struct RepairLock(#[expect(dead_code, reason = "held, not read")] fs::File);

impl RepairLock {
    /// Waits until nobody repairs.
    pub(crate) fn to_change(path: &Path) -> Result<Self, OutboxError> {
        let file = open(&beside(path, "-repair"))?;
        flock(&file, Mode::Shared)?;
        Ok(Self(file))
    }

    /// Waits until nobody changes or repairs.
    pub(crate) fn to_repair(path: &Path) -> Result<Self, OutboxError> {
        let file = open(&beside(path, "-repair"))?;
        flock(&file, Mode::Alone)?;
        Ok(Self(file))
    }
}

/// Held by everybody who has the file open: whoever finds nobody else there knows that a log was left by a process
/// that is gone.
#[derive(Debug)]
pub(crate) struct UserLock {
    file: fs::File,
    /// Whether nobody else had the file open.
    pub(crate) alone: bool,
}

impl UserLock {
    pub(crate) fn take(path: &Path) -> Result<Self, OutboxError> {
        let file = open(&beside(path, "-users"))?;
        let alone = try_alone(&file);
        if !alone {
            flock(&file, Mode::Shared)?;
        }
        Ok(Self { file, alone })
    }

    /// The same lock once more: it is held until both are gone.
    pub(crate) fn again(&self) -> Result<Self, OutboxError> {
        Ok(Self { file: self.file.try_clone()?, alone: self.alone })
    }

    /// Lets others open the file.
    pub(crate) fn share(&mut self) -> Result<(), OutboxError> {
        self.alone = false;
        flock(&self.file, Mode::Shared)
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Shared,
    Alone,
}

fn open(path: &Path) -> Result<fs::File, OutboxError> {
    Ok(private().create(true).truncate(false).open(path)?)
}

// `std::fs::File::lock` is not supported on Android before Rust 1.98.
#[cfg(unix)]
fn flock(file: &fs::File, mode: Mode) -> Result<(), OutboxError> {
    use rustix::fs::FlockOperation;
    let operation = match mode {
        Mode::Shared => FlockOperation::LockShared,
        Mode::Alone => FlockOperation::LockExclusive,
    };
    Ok(rustix::fs::flock(file, operation).map_err(std::io::Error::from)?)
}

#[cfg(unix)]
fn try_alone(file: &fs::File) -> bool {
    rustix::fs::flock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive).is_ok()
}

#[cfg(not(unix))]
fn flock(_file: &fs::File, _mode: Mode) -> Result<(), OutboxError> {
    Ok(())
}

#[cfg(not(unix))]
fn try_alone(_file: &fs::File) -> bool {
    true
}
