//! What the user sends again.

use incident_core::{IdempotencyKey, Reporter};
use rusqlite::{Connection, Transaction, params};

use super::super::{
    change::Change,
    entry::{Entry, EntryState, PENDING, QUARANTINED},
    error::OutboxError,
    file::{
        reserved::reserve,
        rows::{COLUMNS, StoredEntry, find},
    },
    queue::Outbox,
    report::{free_ms::FreeMs, key::key},
    upload::pace::Pace,
};

impl Outbox {
    /// Sends an entry again, at the user's wish: one in quarantine is pending again, and a back-off lapses; what
    /// the server asked to wait is kept.
    ///
    /// # Errors
    /// [`OutboxError::NotFound`], or that of the file.
    pub fn retry(&mut self, key: IdempotencyKey, now_ms: i64) -> Result<Entry, OutboxError> {
        self.repairing(|outbox| outbox.send_again(key, now_ms))
    }

    fn send_again(&mut self, key: IdempotencyKey, now_ms: i64) -> Result<Entry, OutboxError> {
        let (reporter, free) = (&self.reporter, &mut self.free_ms);
        let entry = self.file.write(Change::Retry, |transaction| {
            let mut stored = find(transaction, reporter.as_str(), key)?;
            if stored.entry.state == EntryState::Quarantined {
                (stored.entry.state, stored.entry.changed_at_ms) = (EntryState::Pending, now_ms);
                if stored.entry.is_in_conflict() {
                    rename(transaction, reporter, &mut stored, free)?;
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
        self.repairing(|outbox| outbox.send_all_again(filter, now_ms))
    }

    fn send_all_again(&mut self, filter: Option<EntryState>, now_ms: i64) -> Result<i64, OutboxError> {
        let states = match filter {
            None => [PENDING, QUARANTINED],
            Some(EntryState::Pending | EntryState::Sending) => [PENDING; 2],
            Some(EntryState::Quarantined) => [QUARANTINED; 2],
            Some(EntryState::Settled) => return Ok(0),
        };
        let (reporter, free) = (&self.reporter, &mut self.free_ms);
        self.file.write(Change::Retry, |transaction| {
            if states[1] == QUARANTINED {
                for mut stored in conflicts(transaction, reporter.as_str())? {
                    rename(transaction, reporter, &mut stored, free)?;
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
}

/// The entries in quarantine whose key is another report's.
fn conflicts(connection: &Connection, reporter: &str) -> Result<Vec<StoredEntry>, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE reporter = ?1 AND state = 2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([reporter], StoredEntry::read)?;
    rows.filter(|stored| !matches!(stored, Ok(stored) if !stored.entry.is_in_conflict()))
        .map(|stored| Ok(stored?))
        .collect()
}

/// Gives an entry the next free millisecond and so a new key: the old one is somebody else's.
fn rename(
    transaction: &Transaction<'_>,
    reporter: &Reporter,
    stored: &mut StoredEntry,
    free: &mut FreeMs,
) -> Result<(), OutboxError> {
    let facts = &mut stored.entry.payload.facts;
    reserve(transaction, reporter, stored.entry.key)?;
    facts.created_at = free.next_free(transaction, reporter, facts.created_at)?;
    stored.entry.key = key(transaction, reporter, facts)?;
    let sql =
        "UPDATE entry SET key = ?2, created_at_ms = ?3, payload = ?4, revision = revision + 1 WHERE seq = ?1";
    let created_at_ms = facts.created_at.unix_ms();
    let payload = stored.entry.payload.to_canonical_json();
    let values = params![stored.seq, stored.entry.key.to_string(), created_at_ms, payload];
    transaction.prepare_cached(sql)?.execute(values)?;
    Ok(())
}
