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
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};

use super::{
    backup::{Draft, are_same, check, connect, copy, directory, end_when_asked, options, sync},
    copy_error::{CopyError, failed, unreadable},
    lock::{self, beside},
    prepare::migrate,
    side_files::{PUT_ON, SUFFIXES, may_be_database, refuse_seemingly_empty},
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
    may_be_restored(database, from).await?;
    let _lock = lock::lock(database)?;
    let interruption = Interruption::note().map_err(failed(database))?;
    let copy = interruption.unless_it_came(whole_copy(database, from, &interruption).await)?;
    // What follows is short, and is not left half done.
    let kept = set_aside(database, now).await.map_err(failed(database))?;
    copy.file.persist(database).map_err(|error| failed(database)(error.error))?;
    sync(directory(database)).map_err(failed(database))?;
    Ok(kept)
}

/// Looks at what can be seen of a backup before anything is made.
///
/// # Errors
/// It is the database itself, or none of ours.
pub(crate) async fn may_be_restored(database: &Path, from: &Path) -> Result<(), CopyError> {
    if are_same(database, from) {
        return Err(CopyError::Same(from.to_owned()));
    }
    if from.exists() && !from.is_file() || !may_be_database(from) {
        return Err(CopyError::NoBackup(from.to_owned()));
    }
    refuse_seemingly_empty(from)?;
    if !from.exists() {
        return Err(CopyError::Missing(from.to_owned()));
    }
    let mut session = connect(&as_it_lies(from), from).await?;
    is_ours(&mut session, from).await?;
    session.close().await.map_err(unreadable(from))
}

/// The backup beside the database, as it will be served, and on the disk.
async fn whole_copy(database: &Path, from: &Path, interruption: &Interruption) -> Result<Draft, CopyError> {
    let copy = copy(&as_it_lies(from), directory(database), interruption).await?;
    bring_up_to_date(&copy, from, interruption).await?;
    give_to_the_owner(database, copy.file.path()).map_err(failed(database))?;
    copy.file.as_file().sync_all().map_err(failed(database))?;
    Ok(copy)
}

/// Nothing is written beside a backup, which may lie where that is forbidden; but a log that lies beside it counts.
fn as_it_lies(from: &Path) -> SqliteConnectOptions {
    options(from).read_only(true).immutable(!beside(from, "-wal").exists())
}

/// A backup of an older version gets its tables now: so one of a newer version is refused before anything changes.
async fn bring_up_to_date(copy: &Draft, from: &Path, interruption: &Interruption) -> Result<(), CopyError> {
    let mut session = connect(&options(copy.file.path()), from).await?;
    end_when_asked(&mut session, interruption).await.map_err(unreadable(from))?;
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

/// Leaves the database alone in its place, with all that it was told, and then gives it a second name. A log whose database
/// is gone is kept as well, and would be put on the new one otherwise.
async fn set_aside(database: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
    let now = now.to_string().replace(':', ""); // not every tool takes a colon
    let kept = lock::kept_name(database, &now);
    let is_there = database.exists();
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
    if is_there {
        second_name(database, &kept)?;
    }
    sync(directory(database))?;
    Ok(if is_there { Some(kept) } else { told })
}

/// A copy: SQLite writes what stands in the log into the database and empties it, or deletes it unread.
fn keep_what_it_was_told(database: &Path, kept: &Path) -> io::Result<Option<PathBuf>> {
    let mut told = None;
    for suffix in PUT_ON.into_iter().filter(|suffix| beside(database, suffix).exists()) {
        let copy = beside(kept, suffix);
        copy_synced(&beside(database, suffix), &copy)?;
        told = told.or(Some(copy));
    }
    sync(directory(database))?;
    Ok(told)
}

/// Some file systems know no second names.
fn second_name(database: &Path, kept: &Path) -> io::Result<()> {
    fs::hard_link(database, kept).or_else(|_| copy_synced(database, kept))
}

fn copy_synced(file: &Path, to: &Path) -> io::Result<()> {
    fs::copy(file, to)?;
    fs::File::open(to)?.sync_all()
}

/// Synced as by the server: until the backup is in its place this is the database.
async fn empty_the_log(database: &Path) -> Result<(), sqlx::Error> {
    let options = options(database).synchronous(SqliteSynchronous::Full);
    let mut session = SqliteConnection::connect_with(&options).await?;
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
