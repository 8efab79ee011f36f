//! One server a file: a lock beside it, which the operating system takes back when the process ends.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
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
    let database = &real(database);
    if fs::metadata(database).is_ok_and(|found| found.nlink() > 1) {
        return Err(OpenError::SeveralNames(database.clone()));
    }
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
    let lock = File::open(beside(&real(database), "-lock"));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK))
}

/// The file that a path leads to: through a symbolic link SQLite's side files and the lock are beside it, too. One that is
/// not there yet has the name that it is given.
pub(super) fn real(database: &Path) -> PathBuf {
    fs::canonicalize(database).unwrap_or_else(|_| database.to_owned())
}

/// The file with something behind its name, as SQLite names its own side files.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::{super::SqliteStore, *};

    #[tokio::test]
    async fn a_file_is_taken_under_whatever_name() {
        let folder = tempfile::tempdir().unwrap();
        let [file, linked] = ["incidents.sqlite", "linked.sqlite"].map(|name| folder.path().join(name));
        let store = SqliteStore::open_file(&file).await.unwrap();
        symlink(&file, &linked).unwrap();

        let second = SqliteStore::open_file(&linked).await.err().expect("refused");

        assert!(matches!(second, OpenError::InUse(_)), "{second}");
        assert!(is_held(&linked));
        drop(store);
    }

    #[tokio::test]
    async fn a_file_with_two_names_of_its_own_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let [file, other] = ["incidents.sqlite", "other.sqlite"].map(|name| folder.path().join(name));
        fs::write(&file, "").unwrap();
        fs::hard_link(&file, &other).unwrap();

        let refused = SqliteStore::open_file(&file).await.err().expect("refused");

        assert!(refused.to_string().contains("several names"), "{refused}");
    }
}
