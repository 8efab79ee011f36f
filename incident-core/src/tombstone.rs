//! Erasure: the last step of an incident, from any state, and what is left of it.

use crate::{Change, Event, Outcome, Stored, Timestamp, words::words};

/// What is left of an erased incident besides its id: enough to know it again, so that no replay brings it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tombstone {
    /// By the phone's clock; the id has it, too.
    pub created_at: Timestamp,
    /// The minute. Of anonymous incidents no more may be kept, and what is kept of others may not tell them apart.
    pub erased_at: Timestamp,
}

words! {
    /// The word for an erased incident in `incident.status`.
    ErasedStatus {
        /// It was erased.
        Erased = "Erased",
    }
}

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// What is left.
    pub tombstone: Tombstone,
    /// [`Outcome::Erased`], or [`Outcome::Unchanged`] where it had been erased before.
    pub outcome: Outcome,
}

impl Tombstone {
    /// What is left of an incident of this moment that is erased `now`, whatever was stored of it.
    pub fn new(created_at: Timestamp, now: Timestamp) -> Self {
        Self { created_at, erased_at: now.to_the_minute() }
    }

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
