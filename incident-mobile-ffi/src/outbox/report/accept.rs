//! A report is accepted: named, and durable.

use incident_core::{Draft, SyncPayload};

use super::{
    super::{
        change::Change,
        entry::{Entry, EntryState},
        error::OutboxError,
        file::rows::insert,
        limits::LARGEST_STEP_BITS,
        queue::Outbox,
        upload::pace::Pace,
    },
    key::key,
    room::is_full,
};

impl Outbox {
    /// Takes a report; it is durable when this returns.
    ///
    /// # Errors
    /// [`OutboxError::Invalid`], [`OutboxError::Full`], or that of the file; then nothing was taken.
    pub fn report(&mut self, draft: &Draft, now_ms: i64) -> Result<Entry, OutboxError> {
        self.repairing(|outbox| outbox.accept(draft, now_ms))
    }

    fn accept(&mut self, draft: &Draft, now_ms: i64) -> Result<Entry, OutboxError> {
        let mut draft = draft.clone();
        // A moment from a picker is the same on every device of one account; the name must not be.
        if let Some(given_ms) = draft.created_at_ms.as_mut().filter(|given_ms| **given_ms % 1000 == 0) {
            *given_ms = given_ms.saturating_add(self.rng.i64(0..1000));
        }
        let mut payload = SyncPayload::from_draft(&draft, now_ms).map_err(OutboxError::Invalid)?;
        let (reporter, free, limits) = (&self.reporter, &mut self.free_ms, self.limits);
        let step = step(&mut self.rng);
        self.file.write(Change::Report, |transaction| {
            if is_full(transaction, reporter.as_str(), limits)? {
                return Err(OutboxError::Full);
            }
            payload.facts.created_at = free.next_free(transaction, reporter, payload.facts.created_at)?;
            let key = key(transaction, reporter, &payload.facts)?;
            insert(transaction, step, reporter.as_str(), key, &payload, now_ms)?;
            let mut pace = Pace::load(transaction, reporter.as_str())?;
            if pace.had_no_answer() {
                // Somebody stands there with the device in hand: the network may be back.
                pace.hurry();
                pace.save(transaction, reporter.as_str())?;
            }
            Ok(Entry {
                key,
                state: EntryState::Pending,
                payload,
                reported_at_ms: now_ms,
                changed_at_ms: now_ms,
                attempts: 0,
                problem: None,
                incident: None,
            })
        })
    }
}

/// How far behind the last entry the new one stands. By chance, so that a gap does not say that one was erased there.
fn step(rng: &mut fastrand::Rng) -> i64 {
    let widest = 1 << rng.u32(0..=LARGEST_STEP_BITS);
    rng.i64(1..=widest)
}
