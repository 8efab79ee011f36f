//! What is left of an incident that was erased.

use crate::{Timestamp, words::words};

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

impl Tombstone {
    /// What is left of an incident of this moment that is erased `now`, whatever was stored of it.
    pub fn new(created_at: Timestamp, now: Timestamp) -> Self {
        Self { created_at, erased_at: now.to_the_minute() }
    }
}
