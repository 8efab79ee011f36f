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

/// Between the name of a database and the moment at which a restore has put another in its place.
const BEFORE: &str = ".before-";

/// Takes the file for this process, for as long as the value lives.
///
/// # Errors
/// Another process has it or may come to have it under another name, or the lock's file cannot be made.
pub(super) fn lock(database: &Path) -> Result<File, OpenError> {
    let database = &real(database);
    let lock = hold(database)?;
    if has_other_names(database) {
        return Err(OpenError::SeveralNames(database.clone()));
    }
    for name in names_of_a_restore(database) {
        fs::remove_file(&name).map_err(|source| OpenError::File { file: name.clone(), source })?;
        tracing::warn!(name = %name.display(), "a restore was cut off, and the database is as it was; its second name is gone");
    }
    Ok(lock)
}

fn hold(database: &Path) -> Result<File, OpenError> {
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

/// Whether it has names under which another server could run and not know of this one. One that a restore gave it, which was
/// cut off before the backup took its place, is none of them.
pub(super) fn has_other_names(database: &Path) -> bool {
    let all = fs::metadata(database).map_or(1, |found| found.nlink());
    usize::try_from(all).is_ok_and(|all| all > 1 + names_of_a_restore(database).len())
}

/// What a restore calls the database that was there before.
pub(super) fn kept_name(database: &Path, moment: &str) -> PathBuf {
    beside(database, &format!("{BEFORE}{moment}"))
}

/// Such names that still lead to the database itself.
fn names_of_a_restore(database: &Path) -> Vec<PathBuf> {
    let identity = |file: &Path| fs::symlink_metadata(file).map(|found| (found.dev(), found.ino())).ok();
    let (Some(database_is), Some(directory)) = (identity(database), database.parent()) else {
        return Vec::new();
    };
    let before = kept_name(database, "").into_os_string().into_encoded_bytes();
    let all = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let kept = all.filter(|file| file.as_os_str().as_encoded_bytes().starts_with(&before));
    kept.filter(|file| identity(file) == Some(database_is)).collect()
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

        assert!(refused.to_string().contains("other names"), "{refused}");
    }
}
