//! What can go wrong, one variant for each thing that an app may do about it.

use incident_core::Violation;

/// Why an outbox did not do what it was asked. Nothing is lost by any of them.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// The draft or the reason breaks rules; all of them are listed. Correct it.
    #[error("{} of the draft's fields break a rule", .0.len())]
    Invalid(Vec<Violation>),
    /// The call asks for what cannot be. Correct the code.
    #[error("{0}")]
    InvalidArgument(&'static str),
    /// The report was called off before, for another reason.
    #[error("the report is already cancelled for another reason, which stays")]
    AlreadyCancelled,
    /// This reporter has no entry of that key.
    #[error("this reporter has no such entry, or no longer: look at the list again")]
    NotFound,
    /// The entry still waits to be sent.
    #[error("an entry that still waits to be sent is not discarded: cancel it instead")]
    StillPending,
    /// The queue holds as much as it may. Sync first.
    #[error("the outbox holds as much as it may: sync, then report again")]
    Full,
    /// The device has no room left. Free some.
    #[error("the device has no room left: free some, then try again")]
    NoSpace(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be used at the moment; it was not touched. Try again later.
    #[error("the outbox cannot be read or written at the moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file was corrupt while in use and has been repaired. Ask again.
    #[error("the outbox was corrupt and has been repaired; ask again")]
    Corrupt,
    /// A newer version of the app wrote the file. Update.
    #[error("a newer version has taken the outbox over, and nothing is lost: update this one")]
    NewerSchema,
}

impl From<rusqlite::Error> for OutboxError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error, ffi};
        match &error {
            // Every statement is constant, and reads what another wrote: where one does not fit the file, that is damaged.
            Error::SqlInputError { .. }
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::QueryReturnedNoRows
            | Error::Utf8Error(..) => Self::Corrupt,
            Error::SqliteFailure(failure, _) => match failure.extended_code & 0xff {
                ffi::SQLITE_NOTADB
                | ffi::SQLITE_CORRUPT
                | ffi::SQLITE_ERROR
                | ffi::SQLITE_CONSTRAINT
                | ffi::SQLITE_MISMATCH
                | ffi::SQLITE_TOOBIG => Self::Corrupt,
                ffi::SQLITE_FULL => Self::NoSpace(Box::new(error)),
                _ => Self::Unavailable(Box::new(error)),
            },
            _ => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<std::io::Error> for OutboxError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::NoSpace(Box::new(error)),
            _ => Self::Unavailable(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::*;

    #[test]
    fn only_a_corrupt_file_is_corrupt() {
        let error = |code| OutboxError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        for code in [
            ffi::SQLITE_NOTADB,
            ffi::SQLITE_CORRUPT,
            ffi::SQLITE_CORRUPT_INDEX,
            ffi::SQLITE_ERROR,
            ffi::SQLITE_CONSTRAINT_NOTNULL,
        ] {
            assert!(matches!(error(code), OutboxError::Corrupt), "{code}");
        }
        for code in [
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PERM,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_AUTH,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_NOMEM,
            ffi::SQLITE_PROTOCOL,
        ] {
            assert!(matches!(error(code), OutboxError::Unavailable(_)), "{code}");
        }
        assert!(matches!(error(ffi::SQLITE_FULL), OutboxError::NoSpace(_)));
    }

    #[test]
    fn a_full_disk_is_told_from_one_that_fails() {
        let error = |kind| OutboxError::from(std::io::Error::from(kind));
        for kind in [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded] {
            assert!(matches!(error(kind), OutboxError::NoSpace(_)), "{kind}");
        }
        assert!(matches!(error(std::io::ErrorKind::PermissionDenied), OutboxError::Unavailable(_)));
    }
}
