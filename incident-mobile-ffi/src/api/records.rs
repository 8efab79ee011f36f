//! What an app gives and gets: drafts, entries, and what the server said.

use std::fmt;

/// A moment, in ms since 1970; on the other side the language's own type for moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub i64);

uniffi::custom_newtype!(Moment, i64);

/// A report as an app's form gives it; nothing is checked yet.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Draft {
    /// Where it happened: 1 to 128 characters once trimmed.
    pub location_id: String,
    /// 1 to 64 characters once trimmed; blank means absent.
    #[uniffi(default = None)]
    pub room_number: Option<String>,
    /// Degrees, −180 to 180.
    pub longitude: f64,
    /// Degrees, −90 to 90.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    #[uniffi(default = false)]
    pub is_anonymous: bool,
    /// When it happened; now if absent.
    #[uniffi(default = None)]
    pub created_at: Option<Moment>,
    /// Why it is called off at once, if it is: 1 to 1000 characters once trimmed.
    #[uniffi(default = None)]
    pub cancellation_reason: Option<String>,
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the payload.
    pub pointer: String,
    /// Which rule, such as `too-long`.
    pub code: String,
    /// What to do about it, in words.
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryState {
    /// It waits to be sent.
    Pending,
    /// It is part of the upload that is under way.
    Sending,
    /// The server has it.
    Settled,
    /// The server refuses it: tell the user, who may retry or discard it.
    Quarantined,
}

/// What the last sync did to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum IncidentStatus {
    /// Reported, not called off.
    Open,
    /// Called off.
    Cancelled,
}

/// What the server says about a settled report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Incident {
    /// The id under which the server keeps it.
    pub id: String,
    /// Open or cancelled.
    pub status: IncidentStatus,
    /// What the last sync did.
    pub outcome: Outcome,
    /// When the server first heard of it.
    pub received_at: Moment,
    /// Whether the server found the phone's clock implausible.
    pub clock_suspect: bool,
    /// When the server recorded the cancellation.
    pub cancelled_at: Option<Moment>,
    /// The reason that the server keeps.
    pub cancellation_reason: Option<String>,
}

/// Why the server did not take a report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// The HTTP status.
    pub status: i64,
    /// Which problem, such as `validation-failed`, if the answer said so.
    pub slug: Option<String>,
    /// What the server says about it.
    pub detail: Option<String>,
    /// The rules that are broken.
    pub errors: Vec<Violation>,
    /// The fields in which the stored incident differs.
    pub fields: Vec<String>,
}

/// One report and what became of it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Entry {
    /// The incident's idempotency key.
    pub key: String,
    /// Where it stands.
    pub state: EntryState,
    /// Where it happened.
    pub location_id: String,
    /// The room, if there is one.
    pub room_number: Option<String>,
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// When it happened.
    pub created_at: Moment,
    /// Why it was called off, if it was.
    pub cancellation_reason: Option<String>,
    /// The canonical payload that goes to the server.
    pub payload: String,
    /// When it was reported.
    pub reported_at: Moment,
    /// When it changed last.
    pub changed_at: Moment,
    /// How often the server answered it.
    pub attempts: i64,
    /// The last problem, until it is settled.
    pub problem: Option<Problem>,
    /// The server's word, once it was settled.
    pub incident: Option<Incident>,
}

/// What was saved from a hurt file.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recovery {
    /// Entries that were saved.
    pub saved: i64,
    /// Entries that are known to have been there and could not be read.
    pub lost: i64,
    /// Where the hurt file is kept.
    pub moved_to: String,
}

/// The queue of one reporter in numbers.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Summary {
    /// Entries that wait to be sent, those under way included.
    pub pending: i64,
    /// Entries that are part of the upload under way.
    pub sending: i64,
    /// Entries that the server has.
    pub settled: i64,
    /// Entries that the user should look at.
    pub quarantined: i64,
    /// Entries of other reporters that wait until those are back.
    pub of_others: i64,
    /// What was saved, if the file was found hurt since it was opened.
    pub recovery: Option<Recovery>,
}

/// A payload in JSON text, in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CanonicalPayload {
    /// The canonical text.
    pub text: String,
    /// The unknown fields that were skipped, as JSON Pointers.
    pub ignored: Vec<String>,
}
