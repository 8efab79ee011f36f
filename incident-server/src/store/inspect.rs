//! What a database says of itself to somebody who changes nothing in it.

use incident_core::Timestamp;
use sqlx::migrate::Migrator;

use super::OpenError;

/// Of which version its tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Schema {
    /// There are none: the first start makes them.
    Missing,
    /// The next start brings them up to date.
    Older,
    /// This program's.
    Current,
    /// Only a newer program takes it.
    Newer(i64),
}

impl Schema {
    /// `newest` is the last migration that was applied.
    pub(super) fn of(newest: Option<i64>, migrations: &Migrator) -> Self {
        let ours = migrations.iter().map(|migration| migration.version).max();
        match (newest, ours) {
            (None, _) => Self::Missing,
            (Some(newest), Some(ours)) if newest > ours => Self::Newer(newest),
            (Some(newest), Some(ours)) if newest < ours => Self::Older,
            (Some(_), _) => Self::Current,
        }
    }

    /// Whether this program may read the tables as they are.
    pub(super) fn check(self) -> Result<(), OpenError> {
        match self {
            Self::Current => Ok(()),
            Self::Newer(version) => Err(OpenError::TooNew(version)),
            Self::Missing | Self::Older => Err(OpenError::Outdated),
        }
    }
}

/// A database as it is before a start.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// Which program it is and of which version.
    pub(crate) software: String,
    /// Of which version its tables are.
    pub(crate) schema: Schema,
    /// Whether an incident is stored.
    pub(crate) holds_incidents: bool,
    /// Of the id secret under which its incidents are named, if it knows of one.
    pub(crate) id_secret_fingerprint: Option<Vec<u8>>,
    /// When its history was last written, by the clock of the server that did.
    pub(crate) last_written: Option<Timestamp>,
    /// How far its clock is from this machine's, if it has one of its own.
    pub(crate) clocks_apart_ms: Option<u64>,
    /// Whether other servers may use it at once.
    pub(crate) is_shared: bool,
    /// What an operator should know, as sentences.
    pub(crate) doubts: Vec<String>,
}
