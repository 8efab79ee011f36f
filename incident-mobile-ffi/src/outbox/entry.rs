//! An entry: one report in the queue, and what became of it.

use incident_core::{IdempotencyKey, Outcome, Status, SyncPayload, decode};
use rusqlite::{Row, types::Type};
use serde::{Deserialize, Serialize};

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    /// It waits to be sent.
    Pending,
    /// It is part of the upload that is under way in this process.
    Sending,
    /// The server has it, as it stands here.
    Settled,
    /// The server refuses it; the reporter is told why and may retry or discard it.
    Quarantined,
}

/// `entry.state` in the file. Sending is no state of the file: whoever is killed while sending left it pending.
pub(super) const PENDING: i64 = 0;
pub(super) const SETTLED: i64 = 1;
pub(super) const QUARANTINED: i64 = 2;

/// What the server says about a settled report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerIncident {
    /// What the last sync did.
    pub outcome: Outcome,
    /// The id under which the server keeps it.
    pub id: String,
    /// Open or cancelled.
    pub status: Status,
    /// When the server first heard of it, in ms since 1970.
    pub received_at_ms: i64,
    /// Whether the server found the phone's clock implausible.
    pub clock_suspect: bool,
    /// When the server recorded the cancellation, in ms since 1970.
    pub cancelled_at_ms: Option<i64>,
    /// The reason that the server keeps.
    pub cancellation_reason: Option<String>,
}

/// Why the server did not take a report, as far as its answer could be read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trouble {
    /// The HTTP status.
    pub status: i64,
    /// The slug behind `/problems/`, if the answer was a problem (RFC 9457).
    pub problem: Option<String>,
    /// The problem's `detail`.
    pub detail: Option<String>,
    /// The rules that are broken.
    pub errors: Vec<Fault>,
    /// The fields in which the stored incident differs.
    pub fields: Vec<String>,
}

/// One broken rule, in the server's words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Fault {
    /// A JSON Pointer (RFC 6901) into the payload.
    pub pointer: String,
    /// The rule.
    pub code: String,
    /// The rule in words.
    pub detail: String,
}

/// One report and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The incident's idempotency key.
    pub key: IdempotencyKey,
    /// Where it stands.
    pub state: EntryState,
    /// What goes to the server.
    pub payload: SyncPayload,
    /// When it was reported, in ms since 1970 by the phone's clock.
    pub reported_at_ms: i64,
    /// When its state or payload changed last.
    pub changed_at_ms: i64,
    /// How often the server answered it.
    pub attempts: i64,
    /// The last problem, until it is settled.
    pub trouble: Option<Trouble>,
    /// The server's word, once it was settled.
    pub incident: Option<ServerIncident>,
}

/// The columns that [`Stored::read`] wants, in its order.
pub(super) const COLUMNS: &str = "seq, key, state, payload, reported_at_ms, changed_at_ms, attempts, \
     problem, incident";

/// An entry with its place in the file.
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) entry: Entry,
}

impl Stored {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let payload: String = row.get(3)?;
        let entry = Entry {
            key: row.get::<_, String>(1)?.parse().map_err(|error| unreadable(1, error))?,
            state: match row.get(2)? {
                PENDING => EntryState::Pending,
                SETTLED => EntryState::Settled,
                _ => EntryState::Quarantined,
            },
            payload: decode(payload.as_bytes()).map_err(|error| unreadable(3, error))?.payload,
            reported_at_ms: row.get(4)?,
            changed_at_ms: row.get(5)?,
            attempts: row.get(6)?,
            trouble: from_json(row.get::<_, Option<String>>(7)?.as_deref()),
            incident: from_json(row.get::<_, Option<String>>(8)?.as_deref()),
        };
        Ok(Self { seq: row.get(0)?, entry })
    }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

fn from_json<T: for<'de> Deserialize<'de>>(text: Option<&str>) -> Option<T> {
    serde_json::from_str(text?).ok()
}

/// The text under which [`Trouble`] and [`ServerIncident`] are kept.
pub(super) fn to_json<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}
