//! Looking at the queue, and what the user may do about an entry.

use incident_core::IdempotencyKey;
use rusqlite::params;

use super::{
    Outbox, OutboxError,
    entry::{COLUMNS, Entry, EntryState, PENDING, QUARANTINED, SETTLED, Stored},
    pace::Pace,
    prune,
    report::find,
};

/// The queue of one reporter in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Entries that wait to be sent, those under way included.
    pub pending: i64,
    /// Entries that are part of the upload under way.
    pub sending: i64,
    /// Entries that the server has.
    pub settled: i64,
    /// Entries that the user should look at.
    pub quarantined: i64,
    /// Entries of other reporters that wait until those are back.
    pub of_others: i64,
}

impl Outbox {
    /// The entries of this reporter, newest report first, at most `limit`.
    ///
    /// # Errors
    /// Those of the file.
    pub fn entries(&mut self, filter: Option<EntryState>, limit: usize) -> Result<Vec<Entry>, OutboxError> {
        let result = self.list(filter, limit);
        self.heal(result)
    }

    fn list(&self, filter: Option<EntryState>, limit: usize) -> Result<Vec<Entry>, OutboxError> {
        if filter == Some(EntryState::Sending) {
            return self.under_way(limit);
        }
        let state = match filter {
            None => None,
            Some(EntryState::Pending | EntryState::Sending) => Some(PENDING),
            Some(EntryState::Settled) => Some(SETTLED),
            Some(EntryState::Quarantined) => Some(QUARANTINED),
        };
        let sql = format!(
            "SELECT {COLUMNS} FROM entry
             WHERE reporter = ?1 AND (?2 IS NULL OR state = ?2)
             ORDER BY seq DESC"
        );
        let mut statement = self.file.read().prepare_cached(&sql)?;
        let rows = statement.query_map(params![self.reporter.as_str(), state], Stored::read)?;
        rows.map(|stored| Ok(self.seen(stored?.entry)))
            .filter(|entry| !matches!((entry, filter), (Ok(entry), Some(state)) if entry.state != state))
            .take(limit)
            .collect()
    }

    fn under_way(&self, limit: usize) -> Result<Vec<Entry>, OutboxError> {
        let items = self.in_flight.iter().flat_map(|flight| flight.items.iter().rev());
        items
            .map(|item| Ok(self.seen(find(self.file.read(), self.reporter.as_str(), item.key)?.entry)))
            .filter(|entry| !matches!(entry, Ok(entry) if entry.state != EntryState::Sending))
            .take(limit)
            .collect()
    }

    /// One entry.
    ///
    /// # Errors
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn entry(&mut self, key: IdempotencyKey) -> Result<Entry, OutboxError> {
        let result =
            find(self.file.read(), self.reporter.as_str(), key).map(|stored| self.seen(stored.entry));
        self.heal(result)
    }

    /// The queue in numbers.
    ///
    /// # Errors
    /// Those of the file.
    pub fn summary(&mut self) -> Result<Summary, OutboxError> {
        let result = self.count_all();
        self.heal(result)
    }

    fn count_all(&self) -> Result<Summary, OutboxError> {
        let others = "SELECT count(*) FROM entry WHERE reporter <> ?1 AND state <> 1";
        Ok(Summary {
            pending: self.count(PENDING)?,
            sending: self
                .in_flight
                .as_ref()
                .map_or(0, |flight| i64::try_from(flight.items.len()).unwrap_or(0)),
            settled: self.count(SETTLED)?,
            quarantined: self.count(QUARANTINED)?,
            of_others: self.file.read().query_row(others, [self.reporter.as_str()], |row| row.get(0))?,
        })
    }

    pub(super) fn count(&self, state: i64) -> Result<i64, OutboxError> {
        let sql = "SELECT count(*) FROM entry WHERE reporter = ?1 AND state = ?2";
        let mut statement = self.file.read().prepare_cached(sql)?;
        Ok(statement.query_row(params![self.reporter.as_str(), state], |row| row.get(0))?)
    }

    /// The entry as this process sees it: what it is sending is sending.
    pub(super) fn seen(&self, mut entry: Entry) -> Entry {
        let under_way =
            self.in_flight.as_ref().is_some_and(|f| f.items.iter().any(|item| item.key == entry.key));
        if under_way && entry.state == EntryState::Pending {
            entry.state = EntryState::Sending;
        }
        entry
    }

    /// Sends an entry again, at the user's wish: one in quarantine is pending again, and a back-off lapses; what
    /// the server asked to wait is kept.
    ///
    /// # Errors
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn retry(&mut self, key: IdempotencyKey, now_ms: i64) -> Result<Entry, OutboxError> {
        let result = self.send_again(key, now_ms);
        self.heal(result)
    }

    fn send_again(&mut self, key: IdempotencyKey, now_ms: i64) -> Result<Entry, OutboxError> {
        let reporter = self.reporter.as_str();
        let entry = self.file.write(&self.options, "retry", |transaction| {
            let mut stored = find(transaction, reporter, key)?;
            if stored.entry.state == EntryState::Quarantined {
                (stored.entry.state, stored.entry.changed_at_ms) = (EntryState::Pending, now_ms);
            }
            let sql = "UPDATE entry
                       SET state = iif(state = 2, 0, state), strikes = 0, not_before_ms = 0, changed_at_ms = ?2
                       WHERE seq = ?1";
            transaction.prepare_cached(sql)?.execute(params![stored.seq, stored.entry.changed_at_ms])?;
            let mut pace = Pace::load(transaction, reporter)?;
            pace.hurry();
            pace.save(transaction, reporter)?;
            Ok(stored.entry)
        })?;
        Ok(self.seen(entry))
    }

    /// Removes an entry that is settled or in quarantine, at the user's wish, and erases it from the file.
    ///
    /// # Errors
    /// [`OutboxError::StillPending`] for one that has still to go: cancel it instead.
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn discard(&mut self, key: IdempotencyKey) -> Result<(), OutboxError> {
        let reporter = self.reporter.as_str();
        let result = self.file.write(&self.options, "discard", |transaction| {
            let stored = find(transaction, reporter, key)?;
            match stored.entry.state {
                EntryState::Pending | EntryState::Sending => Err(OutboxError::StillPending),
                EntryState::Settled | EntryState::Quarantined => prune::one(transaction, stored.seq),
            }
        });
        let result = result.and_then(|()| self.file.forget());
        self.heal(result)
    }
}
