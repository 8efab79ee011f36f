//! What the server has, as a test sees it.

use std::fmt;

use incident_core::{Incident, State, Stored, SyncPayload};

use crate::server::ServerIncident;

/// A moment, in ms since 1970; on the other side of the boundary the language's own type for moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

uniffi::custom_newtype!(Moment, i64);

/// Where an incident stands.
pub type IncidentStatus = incident_core::Status;

/// Where an incident stands.
#[uniffi::remote(Enum)]
pub enum IncidentStatus {
    /// Reported, not called off.
    Open,
    /// Called off.
    Cancelled,
}

/// An incident as the fake server has it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct FakeIncident {
    /// Its id on the server.
    pub id: String,
    /// Who reported it; nobody for an anonymous or an erased one.
    pub reporter: Option<String>,
    /// Where it stands; `None` once it is erased.
    pub status: Option<IncidentStatus>,
    /// Where it happened; `None` once it is erased.
    pub location_id: Option<String>,
    /// Why it was called off, if it was.
    pub cancellation_reason: Option<String>,
    /// By the phone's clock.
    pub created_at: Moment,
    /// All that it says, in JSON, as an entry's payload has it; `None` once it is erased.
    pub payload: Option<String>,
}

// What people wrote is shown by no log.
impl fmt::Debug for FakeIncident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeIncident")
            .field("id", &self.id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl From<ServerIncident> for FakeIncident {
    fn from(incident: ServerIncident) -> Self {
        let kept = incident.stored.kept();
        let created_at = match &incident.stored {
            Stored::Kept(kept) => kept.facts.created_at,
            Stored::Erased(left) => left.created_at,
        };
        let payload = kept.map(said);
        let reason = payload.as_ref().and_then(|payload| payload.cancellation_reason.as_ref());
        Self {
            id: incident.id.to_string(),
            reporter: incident.reporter.as_ref().map(|reporter| reporter.as_str().to_owned()),
            status: kept.map(|kept| kept.state.status()),
            location_id: kept.map(|kept| kept.facts.location_id.as_str().to_owned()),
            cancellation_reason: reason.map(|reason| reason.as_str().to_owned()),
            created_at: Moment(created_at.unix_ms()),
            payload: payload.map(|payload| payload.to_canonical_json()),
        }
    }
}

/// The payload that would make this incident.
fn said(incident: &Incident) -> SyncPayload {
    let cancellation_reason = match &incident.state {
        State::Open => None,
        State::Cancelled(cancellation) => Some(cancellation.reason.clone()),
    };
    SyncPayload { facts: incident.facts.clone(), cancellation_reason }
}
