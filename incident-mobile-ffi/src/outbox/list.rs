//! Looking at the queue, and what the user may do about an entry.

use super::change::Change;
use incident_core::IdempotencyKey;
use rusqlite::{Connection, params};

use super::{
    Outbox, OutboxError,
    entry::{COLUMNS, Entry, EntryState, PENDING, QUARANTINED, SETTLED, Stored},
    file::repair::Recovery,
    pace::Pace,
    prune,
    report::{find, rename},
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
    /// Those of the file.
    pub fn entries(
        &mut self,
        filter: Option<EntryState>,
        limit: usize,
        after: Option<IdempotencyKey>,
    ) -> Result<Vec<Entry>, OutboxError> {
        let result = self.list(filter, limit, after);
        self.heal(result)
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
        let state = match filter {
            None => None,
            Some(EntryState::Pending | EntryState::Sending) => Some(PENDING),
            Some(EntryState::Settled) => Some(SETTLED),
            Some(EntryState::Quarantined) => Some(QUARANTINED),
        };
        // By the table itself, which stands in this order: an index would have all rows sorted for the first ten.
        let sql = format!(
            "SELECT {COLUMNS} FROM entry NOT INDEXED
             WHERE seq < ?3 AND reporter = ?1 AND (?2 IS NULL OR state = ?2)
             ORDER BY seq DESC"
        );
        let mut statement = self.file.read().prepare_cached(&sql)?;
        let rows = statement.query_map(params![reporter, state, before], Stored::read)?;
        rows.map(|stored| Ok(self.seen(stored?.entry)))
            .filter(|entry| !matches!((entry, filter), (Ok(entry), Some(state)) if entry.state != state))
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
            recovery: self.recovery.clone(),
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
        let (reporter, taken) = (&self.reporter, &mut self.taken);
        let entry = self.file.write(&self.options, Change::Retry, |transaction| {
            let mut stored = find(transaction, reporter.as_str(), key)?;
            if stored.entry.state == EntryState::Quarantined {
                (stored.entry.state, stored.entry.changed_at_ms) = (EntryState::Pending, now_ms);
                if stored.entry.is_in_conflict() {
                    rename(transaction, reporter, &mut stored, taken)?;
                }
            }
            let sql = "UPDATE entry
                       SET state = iif(state = 2, 0, state), strikes = 0, not_before_ms = 0, changed_at_ms = ?2
                       WHERE seq = ?1";
            transaction.prepare_cached(sql)?.execute(params![stored.seq, stored.entry.changed_at_ms])?;
            let mut pace = Pace::load(transaction, reporter.as_str())?;
            pace.hurry();
            pace.save(transaction, reporter.as_str())?;
            Ok(stored.entry)
        })?;
        Ok(self.seen(entry))
    }

    /// Sends again what the user has not given up, see [`Outbox::retry`]: the entries in quarantine and those that
    /// wait, or with `filter` those of one state. Says how many.
    ///
    /// # Errors
    /// Those of the file.
    pub fn retry_all(&mut self, filter: Option<EntryState>, now_ms: i64) -> Result<i64, OutboxError> {
        let result = self.send_all_again(filter, now_ms);
        self.heal(result)
    }

    fn send_all_again(&mut self, filter: Option<EntryState>, now_ms: i64) -> Result<i64, OutboxError> {
        let states = match filter {
            None => [PENDING, QUARANTINED],
            Some(EntryState::Pending | EntryState::Sending) => [PENDING; 2],
            Some(EntryState::Quarantined) => [QUARANTINED; 2],
            Some(EntryState::Settled) => return Ok(0),
        };
        let (reporter, taken) = (&self.reporter, &mut self.taken);
        self.file.write(&self.options, Change::Retry, |transaction| {
            if states[1] == QUARANTINED {
                for mut stored in conflicts(transaction, reporter.as_str())? {
                    rename(transaction, reporter, &mut stored, taken)?;
                }
            }
            let sql = "UPDATE entry
                       SET state = 0, strikes = 0, not_before_ms = 0,
                           changed_at_ms = iif(state = 2, ?4, changed_at_ms)
                       WHERE reporter = ?1 AND state IN (?2, ?3)";
            let changed =
                transaction.execute(sql, params![reporter.as_str(), states[0], states[1], now_ms])?;
            let mut pace = Pace::load(transaction, reporter.as_str())?;
            pace.hurry();
            pace.save(transaction, reporter.as_str())?;
            Ok(i64::try_from(changed).unwrap_or(i64::MAX))
        })
    }

    /// Removes all entries that are settled or in quarantine, or with `filter` those of one of these states, and
    /// erases them from the file. Says how many.
    ///
    /// # Errors
    /// [`OutboxError::StillPending`] for those that have still to go, or that of the file.
    pub fn discard_all(&mut self, filter: Option<EntryState>) -> Result<i64, OutboxError> {
        let reporter = self.reporter.as_str();
        let states = match filter {
            None => [SETTLED, QUARANTINED],
            Some(EntryState::Settled) => [SETTLED; 2],
            Some(EntryState::Quarantined) => [QUARANTINED; 2],
            Some(EntryState::Pending | EntryState::Sending) => return Err(OutboxError::StillPending),
        };
        let result = self.file.write(&self.options, Change::Discard, |transaction| {
            let which = "SELECT seq FROM entry WHERE reporter = ?1 AND state IN (?2, ?3)";
            prune::erase(transaction, which, params![reporter, states[0], states[1]])
        });
        let result = result.and_then(|erased| self.file.forget().map(|()| erased));
        self.heal(result).map(|erased| i64::try_from(erased).unwrap_or(i64::MAX))
    }

    /// Removes an entry that is settled or in quarantine, at the user's wish, and erases it from the file.
    ///
    /// # Errors
    /// [`OutboxError::StillPending`] for one that has still to go: cancel it instead.
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn discard(&mut self, key: IdempotencyKey) -> Result<(), OutboxError> {
        let reporter = self.reporter.as_str();
        let result = self.file.write(&self.options, Change::Discard, |transaction| {
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

/// The entries in quarantine whose key is another report's.
fn conflicts(connection: &Connection, reporter: &str) -> Result<Vec<Stored>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE reporter = ?1 AND state = 2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([reporter], Stored::read)?;
    rows.filter(|stored| !matches!(stored, Ok(stored) if !stored.entry.is_in_conflict()))
        .map(|stored| Ok(stored?))
        .collect()
}
