//! One server a file: a lock beside it, which the operating system takes back when the process ends.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

use crate::store::OpenError;

/// Takes the file for this process, for as long as the value lives.
///
/// # Errors
/// Another process has it, or the lock's file cannot be made.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let file = beside(database, "-lock");
    let unusable = |source| OpenError::File { file: file.clone(), source };
    let made = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&file);
    let lock = made.map_err(unusable)?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(Errno::WOULDBLOCK) => Err(OpenError::InUse(database.to_owned())),
        Err(error) => Err(unusable(error.into())),
    }
}

/// Whether a process has it now. Nothing is made to find out.
pub(super) fn is_held(database: &Path) -> bool {
    let lock = File::open(beside(database, "-lock"));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// The file with something behind its name, as SQLite names its own side files.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}
