//! What the user removes.

use incident_core::IdempotencyKey;
use rusqlite::params;

use super::super::{
    change::Change,
    entry::{EntryState, QUARANTINED, SETTLED},
    error::OutboxError,
    file::{erase, rows::find},
    queue::Outbox,
};

impl Outbox {
    /// Removes all entries that are settled or in quarantine, or with `filter` those of one of these states, and
    /// erases them from the file. Says how many.
    ///
    /// # Errors
    /// [`OutboxError::StillPending`] for those that have still to go, or that of the file.
    pub fn discard_all(&mut self, filter: Option<EntryState>) -> Result<i64, OutboxError> {
        let states = match filter {
            None => [SETTLED, QUARANTINED],
            Some(EntryState::Settled) => [SETTLED; 2],
            Some(EntryState::Quarantined) => [QUARANTINED; 2],
            Some(EntryState::Pending | EntryState::Sending) => return Err(OutboxError::StillPending),
        };
        self.repairing(|outbox| {
            let reporter = outbox.reporter.as_str();
            let erased = outbox.file.write(Change::Discard, |transaction| {
                let which = "SELECT seq FROM entry WHERE reporter = ?1 AND state IN (?2, ?3)";
                erase::all(transaction, which, params![reporter, states[0], states[1]])
            })?;
            outbox.file.compact()?;
            Ok(i64::try_from(erased).unwrap_or(i64::MAX))
        })
    }

    /// Removes an entry that is settled or in quarantine, at the user's wish, and erases it from the file.
    ///
    /// # Errors
    /// [`OutboxError::StillPending`] for one that has still to go: cancel it instead.
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn discard(&mut self, key: IdempotencyKey) -> Result<(), OutboxError> {
        self.repairing(|outbox| {
            let reporter = outbox.reporter.as_str();
            outbox.file.write(Change::Discard, |transaction| {
                let stored = find(transaction, reporter, key)?;
                match stored.entry.state {
                    EntryState::Pending | EntryState::Sending => Err(OutboxError::StillPending),
                    EntryState::Settled | EntryState::Quarantined => erase::one(transaction, stored.seq),
                }
            })?;
            outbox.file.compact()
        })
    }
}
