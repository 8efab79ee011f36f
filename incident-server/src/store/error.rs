//! What may go wrong between this server and its database while it serves.

use incident_core::ConflictError;
use libsqlite3_sys as ffi;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// Why a store gave no answer. Each variant leads to another act.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot answer now; whether a commit happened is unknown. Answered 503: send again.
    #[error("the database is not available")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database took nothing of a batch because of what is in it: a text or a number that it cannot hold, a
    /// constraint. The batch is repeated in parts, so that only the guilty item fails.
    #[error("the database does not take what is in the batch")]
    Refused(#[source] sqlx::Error),
    /// The one row that was asked for cannot be read. Answered 500.
    #[error(transparent)]
    Row(#[from] RowError),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(refusal) if is_for_its_values(&*refusal) => {
                Self::Refused(sqlx::Error::Database(refusal))
            }
            error => Self::Unavailable(Box::new(error)),
        }
    }
}

/// Whether a statement failed for the values in it: data exceptions, broken constraints, limits.
fn is_for_its_values(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return ["22", "23", "54"].iter().any(|class| code.starts_with(class));
    }
    // The lower byte of SQLite's extended code is the primary one.
    let primary = code.parse::<i32>().map(|code| code & 0xff);
    primary
        .is_ok_and(|code| [ffi::SQLITE_TOOBIG, ffi::SQLITE_CONSTRAINT, ffi::SQLITE_MISMATCH].contains(&code))
}

/// Why one item had no effect, when its neighbours had theirs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    /// The incident is stored with other facts. Answered 409.
    #[error(transparent)]
    Conflict(#[from] ConflictError),
    /// What is stored of its incident cannot be read. Answered 500.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The database does not take it. Answered 500.
    #[error("the database does not take this payload (code {code})")]
    Refused {
        /// The database's code; its texts may quote values.
        code: String,
    },
    /// Others changed its incident again and again meanwhile, more often than an incident can change. Answered 500.
    #[error("what is stored of the incident changes whenever it is written")]
    NeverStill,
}

impl ItemError {
    /// For the only item of a batch that was refused.
    pub(crate) fn refused(error: &sqlx::Error) -> Self {
        let code = error.as_database_error().and_then(DatabaseError::code);
        Self::Refused { code: code.unwrap_or_default().into_owned() }
    }
}

/// A stored row that cannot be read: a hand in the database, or a bug. It names the place and no value but the id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the column {column} of {table} cannot be read in the row {id}")]
pub struct RowError {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: String,
    /// The row's key.
    pub id: String,
}
