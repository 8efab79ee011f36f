//! Entries are erased; only their milliseconds are not given out again.

use incident_core::Reporter;
use rusqlite::{Connection, Transaction, params};

use super::{
    super::{error::OutboxError, limits::Limits},
    own::{self, ErasedEntries},
    reserved::{forget_old, reserve},
};

/// Erases what was settled too long ago, of any reporter, and what this reporter has settled beyond the limit.
/// Answers how many entries went.
pub(crate) fn settled(
    transaction: &Transaction<'_>,
    reporter: &str,
    limits: Limits,
    now_ms: i64,
) -> Result<usize, OutboxError> {
    let old_ms = now_ms.saturating_sub(limits.settled_for_ms);
    let old = "SELECT seq FROM entry WHERE state = 1 AND changed_at_ms <= ?1";
    let beyond = "SELECT seq FROM entry WHERE reporter = ?1 AND state = 1
                  ORDER BY changed_at_ms DESC, seq DESC LIMIT -1 OFFSET ?2";
    let mut erased = all(transaction, old, params![old_ms])?;
    erased += all(transaction, beyond, params![reporter, limits.settled])?;
    if erased > 0 {
        forget_old(transaction, now_ms)?;
    }
    Ok(erased)
}

/// Erases the entries that `which` selects.
pub(crate) fn all(
    transaction: &Transaction<'_>,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Result<usize, OutboxError> {
    let seqs: Vec<i64> =
        transaction.prepare_cached(which)?.query_map(values, |row| row.get(0))?.collect::<Result<_, _>>()?;
    for seq in &seqs {
        one(transaction, *seq)?;
    }
    Ok(seqs.len())
}

/// Erases one entry. Its millisecond is kept where a later report could take its name.
pub(crate) fn one(transaction: &Transaction<'_>, seq: i64) -> Result<(), OutboxError> {
    let sql = "DELETE FROM entry WHERE seq = ?1 RETURNING reporter, key, anonymous";
    let mut statement = transaction.prepare_cached(sql)?;
    let mut rows = statement.query([seq])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let (reporter, key, anonymous): (String, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
    drop(rows);
    forget_waits(transaction)?;
    let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::Corrupt)?;
    reserve(transaction, &reporter, key.parse().map_err(|_| OutboxError::Corrupt)?)?;
    own::note(transaction, if anonymous { ErasedEntries::Anonymous } else { ErasedEntries::Named })
}

/// Forgets how the queues of those were getting on of whom there is no entry any more: their names stand there.
fn forget_waits(transaction: &Transaction<'_>) -> Result<(), OutboxError> {
    let sql = "DELETE FROM pace WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.reporter = pace.reporter)";
    transaction.prepare_cached(sql)?.execute([])?;
    Ok(())
}

/// Whether there is anything to erase: cheap, so that it can be asked at every opening.
pub(crate) fn is_due(
    connection: &Connection,
    reporter: &str,
    limits: Limits,
    now_ms: i64,
) -> Result<bool, OutboxError> {
    let sql = "SELECT (SELECT count(*) FROM entry WHERE reporter = ?1 AND state = 1) > ?2
                   OR EXISTS (SELECT 1 FROM entry WHERE state = 1 AND changed_at_ms <= ?3)";
    let old_ms = now_ms.saturating_sub(limits.settled_for_ms);
    Ok(connection.query_row(sql, params![reporter, limits.settled, old_ms], |row| row.get(0))?)
}
