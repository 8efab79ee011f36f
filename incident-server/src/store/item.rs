//! What goes into a store, one by one, and what became of it.

use incident_core::{IncidentId, Outcome, Reporter, Stored, SyncPayload, Tombstone};

use super::ItemError;

/// One payload on its way into the store.
#[derive(Debug, Clone)]
pub struct SyncItem {
    /// Under which id the incident is stored.
    pub id: IncidentId,
    /// Who reports; stored for incidents that are not anonymous.
    pub reporter: std::sync::Arc<Reporter>,
    /// What is reported.
    pub payload: SyncPayload,
}

impl SyncItem {
    /// How much memory it takes.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Self>() + self.reporter.as_str().len() + self.payload.text_bytes()
    }
}

/// What one item did: the incident as it is now and the word for it, or why it had no effect.
pub type Verdict = Result<(Stored, Outcome), ItemError>;

/// What an erasure did to one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// Its id.
    pub id: IncidentId,
    /// What is left of it.
    pub tombstone: Tombstone,
    /// [`Outcome::Erased`], or [`Outcome::Unchanged`] where it had been erased before.
    pub outcome: Outcome,
}
