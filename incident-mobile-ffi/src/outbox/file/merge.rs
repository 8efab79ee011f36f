//! The rows of a corrupt file in the new one: which of two versions counts, and how many are missing.

use incident_core::Reporter;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    super::{entry::SETTLED, error::OutboxError},
    salvage::{Row, Salvaged},
};

/// Takes a row over. Of two versions of one row the later one counts; a settled one is later than one that is not. Of two
/// that are equally late the first one does, which is not that of a damaged page.
pub(super) fn merge_row(
    transaction: &Transaction<'_>,
    salvaged: &Salvaged,
    row: &Row,
) -> Result<(), OutboxError> {
    let is_sure = salvaged.is_sure(&row.reporter, row.key, &row.payload);
    let created_at_ms = row.key.created_at_ms();
    let known = "SELECT key, revision, state, changed_at_ms, attempts FROM entry
                 WHERE reporter = ?1 AND created_at_ms = ?2";
    let known = transaction
        .prepare_cached(known)?
        .query_row(params![row.reporter.as_str(), created_at_ms], |row| {
            Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        })
        .optional()?;
    if let Some((key, (revision, state, changed_at_ms, attempts))) = known {
        let known_is_sure = key.parse().is_ok_and(|key| salvaged.is_sure(&row.reporter, key, &row.payload));
        let rank = |is_sure: bool, revision: i64, state: i64, changed_at_ms: i64, attempts: i64| {
            (is_sure, revision, state == SETTLED, state, changed_at_ms, attempts)
        };
        if rank(known_is_sure, revision, state, changed_at_ms, attempts)
            >= rank(is_sure, row.revision, row.state, row.times.1, row.attempts)
        {
            return Ok(());
        }
        let sql = "DELETE FROM entry WHERE reporter = ?1 AND created_at_ms = ?2";
        transaction.prepare_cached(sql)?.execute(params![row.reporter.as_str(), created_at_ms])?;
    }
    insert(transaction, row)
}

/// In its old place, if that is free: reports stand in the order in which they were made.
fn insert(transaction: &Transaction<'_>, row: &Row) -> Result<(), OutboxError> {
    let sql = "INSERT INTO entry (seq, reporter, key, created_at_ms, revision, state, anonymous, payload,
                                  reported_at_ms, changed_at_ms, attempts, problem, incident)
               VALUES (iif(?13 BETWEEN 1 AND ?14 AND NOT EXISTS (SELECT 1 FROM entry WHERE seq = ?13), ?13, NULL),
                       ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    let Row { seq, reporter, key, payload, revision, state, times, attempts, problem, incident } = row;
    transaction.prepare_cached(sql)?.execute(params![
        reporter.as_str(),
        key.to_string(),
        key.created_at_ms(),
        revision,
        state,
        payload.facts.is_anonymous,
        payload.to_canonical_json(),
        times.0,
        times.1,
        attempts,
        problem,
        incident,
        seq,
        i64::MAX >> 1,
    ])?;
    Ok(())
}

/// How many entries were saved, and how many an index names that were neither saved nor erased.
pub(super) fn count(transaction: &Transaction<'_>, salvaged: &Salvaged) -> Result<(i64, i64), OutboxError> {
    let saved = transaction.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
    let is_there = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1 AND created_at_ms = ?2)";
    let mut is_there = transaction.prepare(is_there)?;
    let mut lost = 0;
    for (reporter, moments) in &salvaged.named {
        let known = Reporter::parse(reporter).ok();
        for moment in moments {
            let erased = known.as_ref().is_some_and(|reporter| salvaged.is_erased(reporter, *moment));
            let there: bool = is_there.query_row(params![reporter, moment], |row| row.get(0))?;
            lost += i64::from(!there && !erased);
        }
    }
    Ok((saved, lost))
}
