//! What an app gives and gets where its shape is not the queue's own: drafts, entries, payloads.

use std::fmt;

use crate::outbox::{self, EntryState, Incident, Moment, Problem};

/// A report as an app's form gives it; nothing is checked yet.
#[derive(Clone, PartialEq, uniffi::Record)]
#[uniffi::export(Debug)]
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
    /// The moment of the report, half of the incident's name; now if absent, which is best.
    #[uniffi(default = None)]
    pub created_at: Option<Moment>,
    /// Why it is called off at once, if it is: 1 to 1000 characters once trimmed.
    #[uniffi(default = None)]
    pub cancellation_reason: Option<String>,
}

/// One report and what became of it.
#[derive(Clone, PartialEq, uniffi::Record)]
#[uniffi::export(Debug)]
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
    /// The moment of the report.
    pub created_at: Moment,
    /// Why it was called off, if it was.
    pub cancellation_reason: Option<String>,
    /// The canonical payload that goes to the server.
    pub payload: String,
    /// When it was reported, by the device's clock.
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

/// A payload in JSON text, in its canonical form.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct CanonicalPayload {
    /// The canonical text.
    pub text: String,
    /// The unknown fields that were skipped, as JSON Pointers.
    pub ignored: Vec<String>,
}

// What people wrote is shown by no log.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft").finish_non_exhaustive()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("state", &self.state)
            .field("attempts", &self.attempts)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CanonicalPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CanonicalPayload").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

impl From<Draft> for outbox::Draft {
    fn from(draft: Draft) -> Self {
        let Draft {
            location_id,
            room_number,
            longitude,
            latitude,
            is_anonymous,
            created_at,
            cancellation_reason,
        } = draft;
        Self {
            location_id,
            room_number,
            longitude,
            latitude,
            is_anonymous,
            created_at_ms: created_at.map(|moment| moment.0),
            cancellation_reason,
        }
    }
}

impl From<outbox::Entry> for Entry {
    fn from(entry: outbox::Entry) -> Self {
        let payload = entry.payload.to_canonical_json();
        let incident_core::SyncPayload { facts, cancellation_reason } = entry.payload;
        Self {
            key: entry.key.to_string(),
            state: entry.state,
            location_id: facts.location_id.as_str().to_owned(),
            room_number: facts.room_number.map(|room| room.as_str().to_owned()),
            longitude: facts.gps_coordinates.longitude(),
            latitude: facts.gps_coordinates.latitude(),
            is_anonymous: facts.is_anonymous,
            created_at: Moment(facts.created_at.unix_ms()),
            cancellation_reason: cancellation_reason.map(|reason| reason.as_str().to_owned()),
            payload,
            reported_at: Moment(entry.reported_at_ms),
            changed_at: Moment(entry.changed_at_ms),
            attempts: entry.attempts,
            problem: entry.problem,
            incident: entry.incident,
        }
    }
}

impl From<incident_core::Decoded> for CanonicalPayload {
    fn from(decoded: incident_core::Decoded) -> Self {
        let ignored = decoded.warnings.into_iter().map(|warning| warning.pointer).collect();
        Self { text: decoded.payload.to_canonical_json(), ignored }
    }
}
