//! An entry: one report in the queue, and what became of it.

use std::fmt;

use incident_core::{IdempotencyKey, SyncPayload};
use serde::{Deserialize, Serialize};

use super::moment::Moment;

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, uniffi::Enum)]
pub enum EntryState {
    /// It waits to be sent.
    Pending,
    /// It is part of the upload that is under way in this process.
    Sending,
    /// The server has it, as it stands here.
    Settled,
    /// The server refuses it: tell the user, who may retry or discard it.
    Quarantined,
}

/// `entry.state` in the file. Sending is no state of the file: whoever is killed while sending left it pending.
pub(crate) const PENDING: i64 = 0;
pub(crate) const SETTLED: i64 = 1;
pub(crate) const QUARANTINED: i64 = 2;

/// What the last sync did to the incident.
pub type Outcome = incident_core::Outcome;
/// Where an incident stands on the server.
pub type IncidentStatus = incident_core::Status;

// The core's own enums, spelled out for the boundary; the compiler compares the two lists.
/// What the last sync did to the incident.
#[uniffi::remote(Enum)]
pub enum Outcome {
    /// The incident is new and open.
    Created,
    /// The incident is new, and was called off before it arrived.
    CreatedAndCancelled,
    /// Nothing changed: a repeat.
    Unchanged,
    /// The open incident is now cancelled.
    Cancelled,
    /// It was cancelled before for another reason, which stays.
    AlreadyCancelled,
    /// The incident was erased; nothing brings it back.
    Erased,
}

/// Where an incident stands on the server.
#[uniffi::remote(Enum)]
pub enum IncidentStatus {
    /// Reported, not called off.
    Open,
    /// Called off.
    Cancelled,
}

/// What the server says about a settled report.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Incident {
    /// The id under which the server keeps it.
    pub id: String,
    /// Open or cancelled.
    pub status: IncidentStatus,
    /// What the last sync did.
    pub outcome: Outcome,
    /// When the server first heard of it.
    #[serde(rename = "received_at_ms")]
    pub received_at: Moment,
    /// Whether the server found the phone's clock implausible.
    pub clock_suspect: bool,
    /// When the server recorded the cancellation.
    #[serde(rename = "cancelled_at_ms")]
    pub cancelled_at: Option<Moment>,
    /// The reason that the server keeps.
    pub cancellation_reason: Option<String>,
}

/// Why the server did not take a report, as far as its answer could be read.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: i64,
    /// Which problem, such as `validation-failed`: what stands behind `/problems/` (RFC 9457), if the answer said so.
    #[serde(rename = "problem")]
    pub slug: Option<String>,
    /// What the server says about it.
    pub detail: Option<String>,
    /// The rules that are broken.
    pub errors: Vec<Violation>,
    /// The fields in which the stored incident differs.
    pub fields: Vec<String>,
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, uniffi::Record)]
#[serde(default)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the payload.
    pub pointer: String,
    /// Which rule, such as `too-long`.
    pub code: String,
    /// What to do about it, in words.
    pub detail: String,
}

impl From<incident_core::Violation> for Violation {
    fn from(violation: incident_core::Violation) -> Self {
        let (pointer, code) = (violation.pointer.as_str().to_owned(), violation.code.as_str().to_owned());
        Self { pointer, code, detail: violation.detail() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

// What people wrote is shown by no log, and anybody on the network may have written an answer.
impl fmt::Debug for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incident")
            .field("id", &self.id)
            .field("status", &self.status)
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.status)
            .field("slug", &self.slug)
            .finish_non_exhaustive()
    }
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
    pub problem: Option<Problem>,
    /// The server's word, once it was settled.
    pub incident: Option<Incident>,
}

impl Entry {
    /// Whether the server has another report under this key.
    pub(crate) fn is_in_conflict(&self) -> bool {
        let slug = self.problem.as_ref().and_then(|problem| problem.slug.as_deref());
        slug == Some(incident_core::Problem::IdempotencyConflict.as_str())
    }
}

/// The text under which [`Problem`] and [`Incident`] are kept.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Option<String> {
    serde_json::to_string(value).ok()
}

/// Reads it back; of what cannot be read nothing is known.
pub(crate) fn from_json<T: for<'de> Deserialize<'de>>(text: Option<&str>) -> Option<T> {
    serde_json::from_str(text?).ok()
}
