//! A whole, checked copy of the database in a file of its own, taken beside a server that goes on writing.
//!
//! `VACUUM INTO` reads one state in one transaction, so commits neither wait for it nor make it begin again, as they
//! do with SQLite's own backup, which never ends beside a busy server.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use tempfile::{Builder, NamedTempFile};

use super::{
    copy_error::{CopyError, failed, unreadable},
    lock::beside,
    side_files::{left_beside, refuse_name_of_a_part, refuse_seemingly_empty},
};
use crate::{interrupted::Interruption, limits::LOCK_DEADLINE};

/// 64 MiB for the time of the copy: sorting and checking indexes goes from page to page.
const CACHE: &str = "-65536";
/// Of SQLite's machine: some tenths of a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// Writes the database to a new file, which only its owner can read, and says how many bytes it has.
///
/// Whoever finds the file finds a whole one: it is checked and on the disk before it gets its name.
///
/// # Errors
/// There is no copy, and no file of this name that was not there before.
pub(crate) async fn backup(database: &Path, to: &Path) -> Result<u64, CopyError> {
    is_free(to)?;
    let interruption = Interruption::note().map_err(failed(to))?;
    let copy = interruption.unless_it_came(checked_copy(database, directory(to), &interruption).await)?;
    let file = copy.file.persist_noclobber(to).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => CopyError::Exists(to.to_owned()),
        _ => CopyError::File { file: to.to_owned(), source: error.error },
    })?;
    let done = file.sync_all().and_then(|()| sync(directory(to))).and_then(|()| file.metadata());
    done.map(|found| found.len()).map_err(failed(to))
}

async fn checked_copy(
    database: &Path,
    directory: &Path,
    interruption: &Interruption,
) -> Result<Draft, CopyError> {
    // Only read: what its last connection writes into it on closing would not be synced, and its log removed.
    let copy = copy(&options(database).read_only(true), directory, interruption).await?;
    let mut written = connect(&options(copy.file.path()), copy.file.path()).await?;
    end_when_asked(&mut written, interruption).await.map_err(unreadable(copy.file.path()))?;
    check(database, &mut written).await?;
    Ok(copy)
}

/// Whether a copy may have this name: nothing is overwritten, and nothing is taken for a part of another file.
fn is_free(to: &Path) -> Result<(), CopyError> {
    if to == Path::new("-") {
        return Err(CopyError::Output);
    }
    if to.exists() {
        return Err(CopyError::Exists(to.to_owned()));
    }
    refuse_name_of_a_part(to)?;
    left_beside(to).map_or(Ok(()), |left| Err(CopyError::Left(left)))
}

/// A copy without a name of its own, gone with the value, and with it what SQLite has left beside it.
pub(super) struct Draft {
    pub(super) file: NamedTempFile,
    _journal: Journal,
}

struct Journal(PathBuf);

impl Drop for Journal {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0); // mostly there is none
    }
}

impl Draft {
    fn new(directory: &Path) -> io::Result<Self> {
        let file = Builder::new().prefix(".incidents-").suffix(".part").tempfile_in(directory)?;
        let journal = Journal(beside(file.path(), "-journal"));
        Ok(Self { file, _journal: journal })
    }
}

/// A copy in this directory.
pub(super) async fn copy(
    database: &SqliteConnectOptions,
    directory: &Path,
    interruption: &Interruption,
) -> Result<Draft, CopyError> {
    let file = database.get_filename();
    refuse_seemingly_empty(file)?;
    if !file.exists() {
        return Err(CopyError::Missing(file.to_owned()));
    }
    let copy = Draft::new(directory).map_err(failed(directory))?;
    let into =
        copy.file.path().to_str().ok_or_else(|| failed(directory)(io::ErrorKind::InvalidFilename.into()))?;
    let mut session = connect(database, file).await?;
    end_when_asked(&mut session, interruption).await.map_err(unreadable(file))?;
    let done = sqlx::query("VACUUM INTO ?").bind(into).execute(&mut session).await;
    let closed = session.close().await; // before anything of the copy is removed
    done.map(drop).and(closed).map_err(unreadable(file))?;
    Ok(copy)
}

/// Lets its statements fail once an end is asked for, so that SQLite takes away what it has put beside the copy.
pub(super) async fn end_when_asked(
    session: &mut SqliteConnection,
    interruption: &Interruption,
) -> Result<(), sqlx::Error> {
    let (mut handle, interruption) = (session.lock_handle().await?, interruption.clone());
    handle.set_progress_handler(STEPS_BETWEEN_LOOKS, move || !interruption.has_come());
    Ok(())
}

/// Reads every page of the copy. Rows that hands have put in against the constraints are copied as they are.
pub(super) async fn check(database: &Path, copy: &mut SqliteConnection) -> Result<(), CopyError> {
    sqlx::query("PRAGMA ignore_check_constraints = ON")
        .execute(&mut *copy)
        .await
        .map_err(unreadable(database))?;
    let found = sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(copy).await;
    match found.map_err(unreadable(database))? {
        finding if finding == "ok" => Ok(()),
        finding => Err(CopyError::Damaged { file: database.to_owned(), finding }),
    }
}

/// For reading everything once and writing everything once. It is synced by whoever gives it its name, so SQLite need
/// not sync what it writes on the way.
pub(super) fn options(file: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(LOCK_DEADLINE);
    let options = options.synchronous(SqliteSynchronous::Off).pragma("cache_size", CACHE);
    options.disable_statement_logging()
}

pub(super) async fn connect(
    options: &SqliteConnectOptions,
    file: &Path,
) -> Result<SqliteConnection, CopyError> {
    SqliteConnection::connect_with(options).await.map_err(unreadable(file))
}

pub(super) fn directory(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Puts the names in a directory on the disk.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Whether two paths lead to one file.
pub(super) fn are_same(one: &Path, other: &Path) -> bool {
    fs::canonicalize(one).is_ok_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_beside_a_copy_goes_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let draft = Draft::new(folder.path()).unwrap();
        fs::write(beside(draft.file.path(), "-journal"), "of a full disk").unwrap();

        drop(draft);

        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn who_may_not_write_is_told_who_may() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("incidents.sqlite");
        fs::write(&file, "").unwrap();
        let mut session = connect(&options(&file).read_only(true), &file).await.unwrap();

        let refused = sqlx::query("CREATE TABLE new (one)").execute(&mut session).await.unwrap_err();

        let said = unreadable(&file)(refused).to_string();
        assert!(said.contains("run the command as the user of the server"), "{said}");
    }
}
