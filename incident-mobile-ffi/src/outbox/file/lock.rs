//! Locks between processes, and between two outboxes of one: they end with their holder.
//!
//! None waits without end: who holds one may have been stopped, as a phone does with an app in the background.

use std::{
    fs, io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use super::{
    super::error::OutboxError,
    filesystem::{beside, identity, identity_of, private, remove},
};

/// How long to wait before a lock is asked for again: most are held for about as long.
const PAUSE: Duration = Duration::from_millis(1);

/// Held by who opens the file: one after the other, so that none of two that find it left by a process that is gone
/// takes the other for a user.
#[derive(Debug)]
pub(crate) struct OpeningLock {
    _file: fs::File,
    /// Whether nobody had ever opened the file, or all that did were refused.
    is_first: bool,
}

impl OpeningLock {
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self, OutboxError> {
        let file = wait(&beside(path, "-opening"), Mode::Alone, patience)?;
        Ok(Self { _file: file, is_first: !beside(path, "-users").exists() })
    }

    /// Leaves no lock beside a file that was refused. Who waits for one of them finds that it is gone.
    pub(crate) fn refused(self, path: &Path) {
        if self.is_first {
            for suffix in ["-repair", "-users", "-opening"] {
                // It was refused; that is what is to be told.
                let _ = remove(&beside(path, suffix));
            }
        }
    }
}

/// Held by everybody who changes the file, and alone by who repairs it: nobody can commit into a file that is about
/// to be moved.
#[derive(Debug)]
pub(crate) struct RepairLock(#[expect(dead_code, reason = "held, not read")] fs::File);

impl RepairLock {
    /// Waits until nobody repairs.
    pub(crate) fn to_change(path: &Path, patience: Duration) -> Result<Self, OutboxError> {
        Ok(Self(wait(&beside(path, "-repair"), Mode::Shared, patience)?))
    }

    /// Waits until nobody changes or repairs.
    pub(crate) fn to_repair(path: &Path, patience: Duration) -> Result<Self, OutboxError> {
        Ok(Self(wait(&beside(path, "-repair"), Mode::Alone, patience)?))
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
    /// For who holds the [`OpeningLock`]: those who share this one have opened the file, and did not die before.
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self, OutboxError> {
        // Whoever was alone is gone once the lock is shared.
        let file = wait(&beside(path, "-users"), Mode::Shared, patience)?;
        let alone = try_lock(&file, Mode::Alone)?;
        if !alone {
            // A lock that could not become another one is lost.
            try_lock(&file, Mode::Shared)?;
        }
        Ok(Self { file, alone })
    }

    /// The same lock once more: it is held until both are gone.
    pub(crate) fn again(&self) -> Result<Self, OutboxError> {
        Ok(Self { file: self.file.try_clone()?, alone: self.alone })
    }

    /// Says that the file is open, and no longer just being opened.
    pub(crate) fn share(&mut self) -> Result<(), OutboxError> {
        self.alone = false;
        try_lock(&self.file, Mode::Shared)?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
enum Mode {
    Shared,
    Alone,
}

/// Asks for a lock until it is free, for as long as there is patience.
fn wait(path: &Path, mode: Mode, patience: Duration) -> Result<fs::File, OutboxError> {
    let mut begun = None;
    loop {
        let file = private().create(true).truncate(false).open(path)?;
        // It may have been removed after it was opened.
        if try_lock(&file, mode)? && identity_of(&file) == identity(path) {
            return Ok(file);
        }
        if begun.get_or_insert_with(Instant::now).elapsed() >= patience {
            return Err(OutboxError::Unavailable(
                "another process has held the outbox's file for too long; try again later".into(),
            ));
        }
        pause();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "nobody tells that a lock is free to who does not wait without end"
)]
fn pause() {
    thread::sleep(PAUSE);
}

// `std::fs::File::lock` is not supported on Android before Rust 1.98.
#[cfg(unix)]
fn try_lock(file: &fs::File, mode: Mode) -> io::Result<bool> {
    use rustix::{fs::FlockOperation, io::Errno};
    let operation = match mode {
        Mode::Shared => FlockOperation::NonBlockingLockShared,
        Mode::Alone => FlockOperation::NonBlockingLockExclusive,
    };
    match rustix::fs::flock(file, operation) {
        Err(Errno::WOULDBLOCK | Errno::INTR) => Ok(false),
        locked => Ok(locked.map(|()| true)?),
    }
}

#[cfg(not(unix))]
fn try_lock(_file: &fs::File, _mode: Mode) -> io::Result<bool> {
    Ok(true)
}
