//! Rows of `entry`: read, added, changed.

use incident_core::{IdempotencyKey, SyncPayload, decode};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, types::Type};

use super::super::{
    entry::{Entry, EntryState, PENDING, QUARANTINED, SETTLED, from_json},
    error::OutboxError,
};

/// The columns that [`StoredEntry::read`] wants, in its order.
pub(crate) const COLUMNS: &str = "seq, key, state, payload, reported_at_ms, changed_at_ms, attempts, \
     problem, incident";

/// An entry with its place in the file.
pub(crate) struct StoredEntry {
    pub(crate) seq: i64,
    pub(crate) entry: Entry,
}

impl StoredEntry {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let payload: String = row.get(3)?;
        let entry = Entry {
            key: row.get::<_, String>(1)?.parse().map_err(|error| unreadable(1, error))?,
            state: match row.get(2)? {
                PENDING => EntryState::Pending,
                SETTLED => EntryState::Settled,
                _ => EntryState::Quarantined,
            },
            payload: decode(payload.as_bytes()).map_err(|error| unreadable(3, error))?.payload,
            reported_at_ms: row.get(4)?,
            changed_at_ms: row.get(5)?,
            attempts: row.get(6)?,
            problem: from_json(row.get::<_, Option<String>>(7)?.as_deref()),
            incident: from_json(row.get::<_, Option<String>>(8)?.as_deref()),
        };
        Ok(Self { seq: row.get(0)?, entry })
    }
}

fn unreadable(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

/// A new entry, `step` places behind the last one.
pub(crate) fn insert(
    transaction: &Transaction<'_>,
    step: i64,
    reporter: &str,
    key: IdempotencyKey,
    payload: &SyncPayload,
    now_ms: i64,
) -> Result<(), OutboxError> {
    let sql = "INSERT INTO entry (seq, reporter, key, created_at_ms, revision, state, anonymous, payload,
                                  reported_at_ms, changed_at_ms)
               VALUES ((SELECT coalesce(max(seq), 0) + ?8 FROM entry), ?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?7)";
    transaction.prepare_cached(sql)?.execute(params![
        reporter,
        key.to_string(),
        payload.facts.created_at.unix_ms(),
        PENDING,
        payload.facts.is_anonymous,
        payload.to_canonical_json(),
        now_ms,
        step,
    ])?;
    Ok(())
}

/// The payload changed: a new revision. A quarantined entry stays where it is until its reporter retries it.
pub(crate) fn rewrite(transaction: &Transaction<'_>, stored: &StoredEntry) -> Result<(), OutboxError> {
    let sql = "UPDATE entry SET payload = ?2, revision = revision + 1, state = ?3, changed_at_ms = ?4 WHERE seq = ?1";
    let state = if stored.entry.state == EntryState::Quarantined { QUARANTINED } else { PENDING };
    let payload = stored.entry.payload.to_canonical_json();
    transaction.prepare_cached(sql)?.execute(params![
        stored.seq,
        payload,
        state,
        stored.entry.changed_at_ms
    ])?;
    Ok(())
}

/// The entry of `key`, found by the moment that the key begins with.
pub(crate) fn find(
    connection: &Connection,
    reporter: &str,
    key: IdempotencyKey,
) -> Result<StoredEntry, OutboxError> {
    let sql = format!("SELECT {COLUMNS} FROM entry WHERE reporter = ?1 AND created_at_ms = ?2");
    let found = connection
        .prepare_cached(&sql)?
        .query_row(params![reporter, key.created_at_ms()], StoredEntry::read)
        .optional()?;
    found.filter(|stored| stored.entry.key == key).ok_or(OutboxError::NotFound)
}
