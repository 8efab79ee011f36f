//! Which entries go next.

use incident_core::IdempotencyKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{
        entry::{PENDING, Problem, from_json},
        error::OutboxError,
        limits::{ENVELOPE_BYTES, KEY_BYTES, LONGEST_BACK_OFF_MS, MAX_UPLOAD_BYTES},
    },
    in_flight::Item,
    protocol::WaitReason,
};

/// The oldest entries that drew no server error and may go together: many named ones, or else one anonymous one, if
/// those may go. An anonymous one that went first would arrive right before the named one behind it.
pub(crate) fn fresh(
    connection: &Connection,
    reporter: &str,
    most: usize,
    anonymous: bool,
) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE turn.reporter = ?1 AND turn.state = 0 AND turn.strikes = 0 AND turn.anonymous = ?2
               ORDER BY turn.seq";
    let mut named = select(connection, sql, params![reporter, false], most)?;
    if named.is_empty() && anonymous {
        return select(connection, &format!("{sql} LIMIT 1"), params![reporter, true], 1);
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

/// Whether an anonymous entry could go, were it not for its distance from a named one.
pub(crate) fn is_anonymous_waiting(
    connection: &Connection,
    reporter: &str,
    now_ms: i64,
) -> Result<bool, OutboxError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1 AND state = 0 AND anonymous = 1
                              AND (not_before_ms <= ?2 OR not_before_ms > ?2 + ?3))";
    let values = params![reporter, now_ms, LONGEST_BACK_OFF_MS];
    Ok(connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
}

/// The entry that drew the fewest server errors and whose own wait is over.
pub(crate) fn struck(
    connection: &Connection,
    reporter: &str,
    now_ms: i64,
    anonymous: bool,
) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE turn.reporter = ?1 AND turn.state = 0 AND turn.strikes > 0 AND turn.anonymous <= ?4
                 AND (entry.not_before_ms <= ?2 OR entry.not_before_ms > ?2 + ?3)
               ORDER BY turn.strikes, turn.anonymous, turn.seq LIMIT 1";
    select(connection, sql, params![reporter, now_ms, LONGEST_BACK_OFF_MS, anonymous], 1)
}

/// What the index says of an entry is compared with the entry: where the two differ, the answer would change nothing,
/// and the same entry would go next.
fn select(
    connection: &Connection,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
    most: usize,
) -> Result<Vec<Item>, OutboxError> {
    let sql = format!(
        "SELECT entry.seq, entry.key, entry.revision, entry.anonymous, entry.payload,
                (entry.reporter, entry.state, entry.strikes, entry.anonymous) IS (?1, 0, turn.strikes, turn.anonymous)
         FROM entry AS turn INDEXED BY entry_turn LEFT JOIN entry ON entry.seq = turn.seq {which}"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(values)?;
    let mut items = Vec::new();
    while items.len() < most
        && let Some(row) = rows.next()?
    {
        let text: String = row.get(1)?;
        let key: IdempotencyKey = text.parse().map_err(|_| OutboxError::Corrupt)?;
        if !row.get::<_, bool>(5)? || key.to_string() != text {
            return Err(OutboxError::Corrupt);
        }
        let (seq, revision, anonymous, payload) = (row.get(0)?, row.get(2)?, row.get(3)?, row.get(4)?);
        items.push(Item { seq, key, revision, anonymous, payload });
    }
    Ok(items)
}

/// Whether an entry waits, whatever an index says. Reads all of them.
pub(crate) fn is_any_pending(connection: &Connection, reporter: &str) -> Result<bool, OutboxError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entry NOT INDEXED WHERE reporter = ?1 AND state = 0)";
    Ok(connection.query_row(sql, [reporter], |row| row.get(0))?)
}

/// When the first entry that waits for itself may go again, and what it waits for.
pub(crate) fn next_turn(
    connection: &Connection,
    reporter: &str,
    now_ms: i64,
) -> Result<Option<(i64, WaitReason)>, OutboxError> {
    let sql = "SELECT not_before_ms, problem FROM entry
               WHERE reporter = ?1 AND state = ?2 AND strikes > 0 AND not_before_ms > ?3
               ORDER BY not_before_ms LIMIT 1";
    let turn = connection
        .prepare_cached(sql)?
        .query_row(params![reporter, PENDING, now_ms], |row| {
            let problem = from_json::<Problem>(row.get::<_, Option<String>>(1)?.as_deref());
            Ok((row.get::<_, i64>(0)?, problem))
        })
        .optional()?;
    Ok(turn.map(|(turn_ms, problem)| {
        // Of the answers for which an entry waits by itself, those of a server are noted, and begin with 5.
        let is_servers = problem.is_some_and(|problem| problem.status >= 500 || problem.slug.is_some());
        let why = if is_servers { WaitReason::ServerBusy } else { WaitReason::NotTheServer };
        (turn_ms.clamp(now_ms, now_ms + LONGEST_BACK_OFF_MS), why)
    }))
}
