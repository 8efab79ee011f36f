//! Looking at the queue.

use std::cmp::Reverse;

use incident_core::IdempotencyKey;
use rusqlite::params;

use super::super::{
    entry::{Entry, EntryState, PENDING, QUARANTINED, SETTLED},
    error::OutboxError,
    file::{
        repair::Recovery,
        rows::{COLUMNS, StoredEntry, find},
    },
    queue::Outbox,
};

/// The queue of one reporter in numbers.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
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
    /// What was saved, if the file was found corrupt since it was opened.
    pub recovery: Option<Recovery>,
}

impl Outbox {
    /// The entries of this reporter, newest report first, at most `limit`, from the one behind `after` on.
    ///
    /// # Errors
    /// [`OutboxError::InvalidArgument`] for a negative limit, [`OutboxError::NotFound`] for a key that no entry has, or
    /// that of the file.
    pub fn entries(
        &mut self,
        filter: Option<EntryState>,
        limit: i64,
        after: Option<IdempotencyKey>,
    ) -> Result<Vec<Entry>, OutboxError> {
        if limit < 0 {
            return Err(OutboxError::InvalidArgument("the limit of a list is negative"));
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.repairing(|outbox| outbox.list(filter, limit, after))
    }

    fn list(
        &self,
        filter: Option<EntryState>,
        limit: usize,
        after: Option<IdempotencyKey>,
    ) -> Result<Vec<Entry>, OutboxError> {
        let reporter = self.reporter.as_str();
        let before = match after {
            Some(key) => find(self.file.read(), reporter, key)?.seq,
            None => i64::MAX,
        };
        if filter == Some(EntryState::Sending) {
            return self.under_way(limit, before);
        }
        let states = match filter {
            None => vec![PENDING, SETTLED, QUARANTINED],
            Some(EntryState::Pending | EntryState::Sending) => vec![PENDING],
            Some(EntryState::Settled) => vec![SETTLED],
            Some(EntryState::Quarantined) => vec![QUARANTINED],
        };
        // Each state by itself, out of an index in this order: the first ten cost no more than thirty, however many
        // there are.
        let _one_moment = self.file.read().unchecked_transaction()?;
        let mut entries = Vec::new();
        for state in states {
            entries.extend(self.newest(
                state,
                before,
                |entry| filter.is_none_or(|state| entry.state == state),
                limit,
            )?);
        }
        entries.sort_by_key(|stored| Reverse(stored.seq));
        Ok(entries.into_iter().take(limit).map(|stored| stored.entry).collect())
    }

    /// The newest entries of this state, as this process sees them.
    fn newest(
        &self,
        state: i64,
        before: i64,
        is_wanted: impl Fn(&Entry) -> bool,
        limit: usize,
    ) -> Result<Vec<StoredEntry>, OutboxError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM entry INDEXED BY entry_list
             WHERE state = ?1 AND reporter = ?2 AND seq < ?3
             ORDER BY seq DESC"
        );
        let mut statement = self.file.read().prepare_cached(&sql)?;
        let rows = statement.query_map(params![state, self.reporter.as_str(), before], StoredEntry::read)?;
        rows.map(|stored| {
            Ok(stored.map(|StoredEntry { seq, entry }| StoredEntry { seq, entry: self.seen(entry) })?)
        })
        .filter(|stored| !matches!(stored, Ok(stored) if !is_wanted(&stored.entry)))
        .take(limit)
        .collect()
    }

    fn under_way(&self, limit: usize, before: i64) -> Result<Vec<Entry>, OutboxError> {
        let items = self.in_flight.iter().flat_map(|flight| flight.items.iter().rev());
        let items = items.filter(|item| item.seq < before);
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
        self.repairing(|outbox| {
            Ok(outbox.seen(find(outbox.file.read(), outbox.reporter.as_str(), key)?.entry))
        })
    }

    /// The queue in numbers.
    ///
    /// # Errors
    /// Those of the file.
    pub fn summary(&mut self) -> Result<Summary, OutboxError> {
        self.repairing(|outbox| outbox.count_all())
    }

    /// How many entries the upload under way has.
    pub fn sending(&self) -> i64 {
        self.in_flight.as_ref().map_or(0, |flight| i64::try_from(flight.items.len()).unwrap_or(0))
    }

    pub(crate) fn count_all(&self) -> Result<Summary, OutboxError> {
        let others = "SELECT count(*) FROM entry WHERE reporter <> ?1 AND state <> 1";
        Ok(Summary {
            pending: self.count(PENDING)?,
            sending: self.sending(),
            settled: self.count(SETTLED)?,
            quarantined: self.count(QUARANTINED)?,
            of_others: self.file.read().query_row(others, [self.reporter.as_str()], |row| row.get(0))?,
            recovery: self.recovery.clone(),
        })
    }
}
