//! Why there is no copy, in sentences for people.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::side_files::NameBelongs;
use crate::{interrupted::Interrupted, store::OpenError};

/// SQLite's code for what it may not write.
const READONLY: u32 = 8;

/// Why there is no copy. Every message is for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyError {
    /// A backup overwrites nothing.
    #[error("{} is there already, and nothing is overwritten; name a file that is not", .0.display())]
    Exists(PathBuf),
    /// The copy is written here and there.
    #[error("a backup cannot go to the standard output; name a file (one that is named - is ./-)")]
    Output,
    /// It has the name of a part of a database.
    #[error(transparent)]
    Belongs(#[from] NameBelongs),
    /// SQLite would put it on the copy.
    #[error("{} is there, and would be taken for a part of the copy; name another file", .0.display())]
    Left(PathBuf),
    /// Another program's file, or none that SQLite has written.
    #[error("{} is no backup of incident-server; name another file", .0.display())]
    NoBackup(PathBuf),
    /// There is nothing to copy.
    #[error("there is no file {}", .0.display())]
    Missing(PathBuf),
    /// The file is read and written in one.
    #[error("{} is the database itself; name another file", .0.display())]
    Same(PathBuf),
    /// A file cannot be made, read or put in its place.
    #[error("cannot write or move {}: {source}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite keeps the index of the log beside the database, even for who only reads.
    #[error(
        "this user cannot write to {} or beside it, which SQLite does even to read; run the command as the user of the server",
        .0.display()
    )]
    Unwritable(PathBuf),
    /// Of a disk there are two, and SQLite does not say which is full.
    #[error(
        "no room to write {} anew: it takes {mib} MiB in its own directory and as many in {}, where SQLite keeps temporary \
         files (SQLITE_TMPDIR names another directory); nothing was changed", file.display(), temporary.display()
    )]
    Full {
        /// Which file.
        file: PathBuf,
        /// How large it is.
        mib: u64,
        /// Where SQLite keeps temporary files.
        temporary: PathBuf,
    },
    /// SQLite cannot read what is there.
    #[error("the database {} cannot be copied: {source}", file.display())]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: sqlx::Error,
    },
    /// `integrity_check` has found something in the copy.
    #[error("the copy of {} is not whole, so it was thrown away: {finding}", file.display())]
    Damaged {
        /// Which file.
        file: PathBuf,
        /// In SQLite's words, which have no value of a row in them.
        finding: String,
    },
    /// A reader holds on to the write-ahead log.
    #[error("{} was written anew, but its write-ahead log is read by somebody and still holds what was there before; try \
             again", .0.display())]
    Log(PathBuf),
    /// Somebody asked for an end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// It is in use, or of a newer version.
    #[error(transparent)]
    Open(#[from] OpenError),
}

pub(super) fn failed(file: &Path) -> impl Fn(io::Error) -> CopyError {
    |source| CopyError::File { file: file.to_owned(), source }
}

pub(super) fn unreadable(file: &Path) -> impl Fn(sqlx::Error) -> CopyError {
    |source| match code(&source) {
        Some(READONLY) => CopyError::Unwritable(file.to_owned()),
        _ => CopyError::Unreadable { file: file.to_owned(), source },
    }
}

/// SQLite's primary result code.
pub(super) fn code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
