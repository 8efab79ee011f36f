//! A report is called off.

use incident_core::{CancellationReason, IdempotencyKey, Pointer, Status, Violation};

use super::super::{
    change::Change,
    entry::{Entry, EntryState},
    error::OutboxError,
    file::rows::{find, rewrite},
    queue::Outbox,
};

impl Outbox {
    /// Calls a report off. One composite goes out; it is never removed here, for the server shall know both.
    ///
    /// # Errors
    /// [`OutboxError::AlreadyCancelled`] for another reason than the one it has; the same reason changes nothing.
    pub fn cancel(&mut self, key: IdempotencyKey, reason: &str, now_ms: i64) -> Result<Entry, OutboxError> {
        self.repairing(|outbox| outbox.call_off(key, reason, now_ms))
    }

    fn call_off(&mut self, key: IdempotencyKey, reason: &str, now_ms: i64) -> Result<Entry, OutboxError> {
        let pointer = Pointer::CancellationReason;
        let reason = CancellationReason::parse(reason).map_err(|error| {
            OutboxError::Invalid(error.codes.into_iter().map(|code| Violation { pointer, code }).collect())
        })?;
        let reporter = self.reporter.as_str();
        let entry = self.file.write(Change::Cancel, |transaction| {
            let mut stored = find(transaction, reporter, key)?;
            if has_to_be_sent(&stored.entry, &reason)? {
                stored.entry.payload.cancellation_reason = Some(reason);
                stored.entry.changed_at_ms = now_ms;
                if stored.entry.state == EntryState::Settled {
                    stored.entry.state = EntryState::Pending;
                }
                rewrite(transaction, &stored)?;
            }
            Ok(stored.entry)
        })?;
        Ok(self.seen(entry))
    }
}

/// Whether the reason has still to be told; refused where another one stands.
fn has_to_be_sent(entry: &Entry, reason: &CancellationReason) -> Result<bool, OutboxError> {
    let servers = entry.incident.as_ref().filter(|incident| incident.status == Status::Cancelled);
    let settled = entry.state == EntryState::Settled;
    let servers = servers.filter(|_| settled).and_then(|incident| incident.cancellation_reason.as_deref());
    match (entry.payload.cancellation_reason.as_ref().map(CancellationReason::as_str), servers) {
        (None, None) => Ok(true),
        (Some(stands), _) | (None, Some(stands)) if stands == reason.as_str() => Ok(false),
        _ => Err(OutboxError::AlreadyCancelled),
    }
}
