//! A process that was forked from one that has the file open.
//!
//! It has all that the other has open, but not its locks of `fcntl`, of which SQLite goes on to think that they are held
//! ("How To Corrupt An SQLite Database File", section 2.6): whoever closes the file elsewhere ends the log under it, and
//! what it commits is lost.

use std::{
    path::Path,
    process,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{
    super::error::OutboxError,
    filesystem::{Identity, identity},
};

/// The files that are open, each with the process that opened it.
static OPEN: Mutex<Vec<(Identity, u32)>> = Mutex::new(Vec::new());

/// Says that a file is open, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Opened {
    file: Identity,
    process: u32,
}

impl Opened {
    /// Before SQLite opens the file.
    ///
    /// # Errors
    /// [`OutboxError::Unavailable`] where it is open since before this process was forked.
    pub(crate) fn note(path: &Path) -> Result<Self, OutboxError> {
        let (file, process) = (identity(path), process::id());
        let mut open = open();
        if open.iter().any(|(other, opener)| *other == file && *opener != process) {
            return Err(forked());
        }
        open.push((file, process));
        Ok(Self { file, process })
    }

    /// Refuses what another process opened.
    ///
    /// # Errors
    /// [`OutboxError::Unavailable`]
    pub(crate) fn refuse_forked(&self) -> Result<(), OutboxError> {
        if self.process == process::id() { Ok(()) } else { Err(forked()) }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let mut open = open();
        let own = open.iter().position(|entry| *entry == (self.file, self.process));
        own.map(|at| open.swap_remove(at));
    }
}

fn forked() -> OutboxError {
    OutboxError::Unavailable(
        "this process was forked from one that has the outbox open; start it anew instead, such as with spawn, or close \
         the outbox before the fork"
            .into(),
    )
}

fn open() -> MutexGuard<'static, Vec<(Identity, u32)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
