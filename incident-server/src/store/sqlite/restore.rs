//! A backup takes the place of the database, while no server runs on it.
//!
//! The copy is made, brought up to date and checked beside the database, then renamed over it: there is no moment
//! without a database, and none with the log of one beside another.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};

use incident_core::Timestamp;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::NamedTempFile;

use super::{
    backup::{CopyError, are_same, check, connect, copy, directory, failed, options, sync, unreadable},
    lock::{self, beside},
    prepare::migrate,
    side_files::{PUT_ON, SUFFIXES, may_be_database},
};
use crate::{interrupted::Interruption, store::OpenError};

/// Positions are given out again from here on, so they are those of another feed.
const BEGIN_A_SERIES: &str = "UPDATE installation SET series = random() & 9007199254740991";

/// The migrator's own table is in other programs' files, too.
const IS_OURS: &str = "
    SELECT count(*) = 2
    FROM sqlite_schema
    WHERE type = 'table' AND name IN ('_sqlx_migrations', 'incidents')";

/// Puts a backup in the place of the database. Returns where the database from before is kept, if there was one.
///
/// # Errors
/// The database is as it was.
pub(crate) async fn restore(
    database: &Path,
    from: &Path,
    now: Timestamp,
) -> Result<Option<PathBuf>, CopyError> {
    let database = &*lock::real(database);
    if are_same(database, from) {
        return Err(CopyError::Same(from.to_owned()));
    }
    if !may_be_database(from) {
        return Err(CopyError::NoBackup(from.to_owned()));
    }
    let _lock = lock::lock(database)?;
    // Only while it is copied: what follows is short, and is not left half done.
    let interruption = Interruption::note().map_err(failed(database))?;
    let copy = copy(&as_it_lies(from), directory(database), &interruption).await?;
    bring_up_to_date(&copy, from).await?;
    let kept = set_aside(database, now).await.map_err(failed(database))?;
    give_to_the_owner(database, copy.path()).map_err(failed(database))?;
    copy.as_file().sync_all().map_err(failed(database))?;
    copy.persist(database).map_err(|error| failed(database)(error.error))?;
    sync(directory(database)).map_err(failed(database))?;
    Ok(kept)
}

/// Nothing is written beside a backup, which may lie where that is forbidden; but a log that lies beside it counts.
fn as_it_lies(from: &Path) -> SqliteConnectOptions {
    options(from).read_only(true).immutable(!beside(from, "-wal").exists())
}

/// A backup of an older version gets its tables now: so one of a newer version is refused before anything changes.
async fn bring_up_to_date(copy: &NamedTempFile, from: &Path) -> Result<(), CopyError> {
    let mut session = connect(&options(copy.path()), from).await?;
    is_ours(&mut session, from).await?;
    migrate(&mut session).await.map_err(|error| OpenError::from_migration(error, from))?;
    sqlx::query(BEGIN_A_SERIES).execute(&mut session).await.map_err(unreadable(from))?;
    check(from, &mut session).await?;
    session.close().await.map_err(unreadable(from))
}

/// Any other database would be given our tables, and what it holds would not be there.
async fn is_ours(session: &mut SqliteConnection, from: &Path) -> Result<(), CopyError> {
    let is_ours: bool = sqlx::query_scalar(IS_OURS).fetch_one(session).await.map_err(unreadable(from))?;
    if is_ours { Ok(()) } else { Err(CopyError::NoBackup(from.to_owned())) }
}

/// Gives the database a second name, with all that it was told, and leaves it alone in its place. A log whose database is
/// gone is kept as well, and would be put on the new one otherwise.
async fn set_aside(database: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
    let now = now.to_string().replace(':', ""); // not every tool takes a colon
    let kept = beside(database, &format!(".before-{now}"));
    let is_there = database.exists();
    if is_there {
        second_name(database, &kept)?;
    }
    let told = keep_what_it_was_told(database, &kept)?;
    if is_there && told.is_some() {
        let _ = empty_the_log(database).await; // a corrupt one cannot; it is kept as it is
    }
    for side_file in SUFFIXES.map(|suffix| beside(database, suffix)) {
        match fs::remove_file(&side_file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync(directory(database))?;
    Ok(if is_there { Some(kept) } else { told })
}

/// A copy: SQLite writes what stands in the log into the database and empties it, or deletes it unread.
fn keep_what_it_was_told(database: &Path, kept: &Path) -> io::Result<Option<PathBuf>> {
    let mut told = None;
    for suffix in PUT_ON.into_iter().filter(|suffix| beside(database, suffix).exists()) {
        let copy = beside(kept, suffix);
        fs::copy(beside(database, suffix), &copy)?;
        fs::File::open(&copy)?.sync_all()?;
        told = told.or(Some(copy));
    }
    sync(directory(database))?;
    Ok(told)
}

/// Some file systems know no second names.
fn second_name(database: &Path, kept: &Path) -> io::Result<()> {
    fs::hard_link(database, kept).or_else(|_| fs::copy(database, kept).map(drop))
}

async fn empty_the_log(database: &Path) -> Result<(), sqlx::Error> {
    let mut session = SqliteConnection::connect_with(&options(database)).await?;
    sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut session).await?;
    session.close().await
}

/// Whoever restores is often root, and the server is not.
fn give_to_the_owner(database: &Path, copy: &Path) -> io::Result<()> {
    let owner = fs::metadata(database).or_else(|_| fs::metadata(directory(database)))?;
    for file in [copy, &beside(database, "-lock")] {
        let found = fs::metadata(file)?;
        if (found.uid(), found.gid()) != (owner.uid(), owner.gid()) {
            chown(file, Some(owner.uid()), Some(owner.gid()))?;
        }
    }
    Ok(())
}
