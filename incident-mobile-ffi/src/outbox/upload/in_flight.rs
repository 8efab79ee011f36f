//! The upload under way.

use incident_core::IdempotencyKey;

/// The upload under way: what it held.
#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) id: i64,
    pub(crate) items: Vec<Item>,
    pub(crate) started_ms: i64,
    pub(crate) deadline_ms: i64,
}

/// One entry as it was when it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) seq: i64,
    pub(crate) key: IdempotencyKey,
    pub(crate) revision: i64,
    pub(crate) anonymous: bool,
    pub(crate) payload: String,
}

impl Item {
    /// Whether it was sent with a reason to call it off. The payload is canonical: in a text no quotation mark stands
    /// without a backslash, so this is a name.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.payload.contains(",\"cancellationReason\":")
    }
}
