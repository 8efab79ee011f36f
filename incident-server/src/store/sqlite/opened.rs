//! The file that is open, as its path may lead to another one later, or to none.
//!
//! A connection goes on in a file that was moved away, and nobody would find what it writes there. So every
//! answer is given only while the path leads to the file.

use std::{
    fs::{self, Metadata},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::store::StoreError;

pub(super) struct OpenedFile {
    path: PathBuf,
    identity: (u64, u64),
    /// As it was seen last; logged when it changes.
    is_away: AtomicBool,
    is_corrupt: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
#[error("the database file was moved away or replaced")]
struct MovedAwayError;

#[derive(Debug, thiserror::Error)]
#[error("the database file is corrupt")]
struct CorruptError;

impl OpenedFile {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let identity = identity(&fs::metadata(path)?);
        let path = path.to_owned();
        Ok(Self { path, identity, is_away: AtomicBool::new(false), is_corrupt: AtomicBool::new(false) })
    }

    /// Whether the path leads to the file now.
    pub(super) fn is_in_place(&self) -> bool {
        let is_there = fs::metadata(&self.path).is_ok_and(|found| identity(&found) == self.identity);
        let was_there = !self.is_away.swap(!is_there, Ordering::Relaxed);
        match (was_there, is_there) {
            (true, false) => tracing::error!(
                file = %self.path.display(),
                "the database file was moved away or replaced: nothing is answered until it is back in its place; to \
                 serve the file that is there now, restart the server"
            ),
            (false, true) => tracing::info!("the database file is back in its place"),
            _ => {}
        }
        is_there
    }

    /// # Errors
    /// The path leads elsewhere now.
    pub(super) fn in_place(&self) -> Result<(), StoreError> {
        if self.is_in_place() { Ok(()) } else { Err(StoreError::Unavailable(Box::new(MovedAwayError))) }
    }

    /// # Errors
    /// Something in it could not be read as SQLite wrote it. That does not heal by itself.
    pub(super) fn intact(&self) -> Result<(), StoreError> {
        let is_corrupt = self.is_corrupt.load(Ordering::Relaxed);
        if is_corrupt { Err(StoreError::Unavailable(Box::new(CorruptError))) } else { Ok(()) }
    }

    /// Remembers that SQLite found it corrupt.
    pub(super) fn note_corruption(&self) {
        if !self.is_corrupt.swap(true, Ordering::Relaxed) {
            tracing::error!(
                file = %self.path.display(),
                "the database file is corrupt: no report is taken any more; stop the server and restore a backup, see \
                 incident-server restore"
            );
        }
    }
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}
