//! Erasure: the last step of an incident, from any state.

use crate::{Change, Event, Outcome, Stored, Timestamp, Tombstone};

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// What is left.
    pub tombstone: Tombstone,
    /// [`Outcome::Erased`], or [`Outcome::Unchanged`] where it had been erased before.
    pub outcome: Outcome,
}

impl Erasure {
    /// What an erasure may do.
    pub const OUTCOMES: [Outcome; 2] = [Outcome::Erased, Outcome::Unchanged];
}

impl Tombstone {
    /// All that the history says of it.
    pub const fn event(&self) -> Event {
        Event { at: self.erased_at, change: Change::Erased }
    }
}

impl Stored {
    /// Erases it. Where it is erased already, the first time stays.
    pub fn erase(&self, now: Timestamp) -> Erasure {
        match self {
            Self::Kept(incident) => {
                let tombstone = Tombstone::new(incident.facts.created_at, now);
                Erasure { tombstone, outcome: Outcome::Erased }
            }
            Self::Erased(tombstone) => Erasure { tombstone: *tombstone, outcome: Outcome::Unchanged },
        }
    }
}
