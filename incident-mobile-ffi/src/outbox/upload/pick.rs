//! Which entries go next.

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{
        entry::PENDING,
        error::OutboxError,
        limits::{ENVELOPE_BYTES, KEY_BYTES, LONGEST_BACK_OFF_MS, MAX_UPLOAD_BYTES},
    },
    in_flight::Item,
};

/// The oldest entries that drew no server error and may go together: one anonymous entry, or many others.
pub(crate) fn fresh(connection: &Connection, reporter: &str, most: usize) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE reporter = ?1 AND state = 0 AND strikes = 0 AND anonymous = ?2 ORDER BY seq";
    let anonymous = select(connection, &format!("{sql} LIMIT 1"), params![reporter, true], 1)?;
    let mut named = select(connection, sql, params![reporter, false], most)?;
    let oldest = |items: &[Item]| items.first().map_or(i64::MAX, |item| item.seq);
    if oldest(&anonymous) < oldest(&named) {
        return Ok(anonymous);
    }
    let mut bytes = 0;
    let fits = named.iter().take_while(|item| {
        bytes += item.payload.len() + KEY_BYTES;
        bytes + ENVELOPE_BYTES <= MAX_UPLOAD_BYTES
    });
    let fits = fits.count().max(1);
    named.truncate(fits);
    Ok(named)
}

/// The entry that drew the fewest server errors and whose own wait is over.
pub(crate) fn struck(connection: &Connection, reporter: &str, now_ms: i64) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE reporter = ?1 AND state = 0 AND strikes > 0
                 AND (not_before_ms <= ?2 OR not_before_ms > ?2 + ?3)
               ORDER BY strikes, seq LIMIT 1";
    select(connection, sql, params![reporter, now_ms, LONGEST_BACK_OFF_MS], 1)
}

fn select(
    connection: &Connection,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
    most: usize,
) -> Result<Vec<Item>, OutboxError> {
    let sql = format!("SELECT seq, key, revision, payload FROM entry {which}");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement
        .query_map(values, |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?)))?;
    let mut items = Vec::new();
    for row in rows.take(most) {
        let (seq, key, revision, payload) = row?;
        let key = key.parse().map_err(|_| OutboxError::Corrupt)?;
        items.push(Item { seq, key, revision, payload });
    }
    Ok(items)
}

/// When the first entry that waits for itself may go again.
pub(crate) fn next_turn_ms(
    connection: &Connection,
    reporter: &str,
    now_ms: i64,
) -> Result<Option<i64>, OutboxError> {
    let sql = "SELECT min(not_before_ms) FROM entry WHERE reporter = ?1 AND state = ?2 AND strikes > 0";
    let turn: Option<Option<i64>> =
        connection.prepare_cached(sql)?.query_row(params![reporter, PENDING], |row| row.get(0)).optional()?;
    Ok(turn.flatten().map(|turn_ms| turn_ms.clamp(now_ms, now_ms + LONGEST_BACK_OFF_MS)))
}
