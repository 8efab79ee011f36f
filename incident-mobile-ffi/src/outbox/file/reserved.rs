//! Milliseconds of erased reports, so that no later one takes their name; nobody can read them.
//!
//! What is kept is a keyed hash. Only a derived key needs it: a sealed one is made of a secret that is gone.

use incident_core::{IdempotencyKey, OutboxSecret, Reporter, Timestamp};
use rusqlite::{Connection, params};

use super::{
    super::{error::OutboxError, limits::RESERVED_FOR_MS},
    own,
};

const DOMAIN: &[u8] = b"incident-sync/erased/v1";

/// The mark of a report's millisecond.
pub(crate) fn mark(secret: &OutboxSecret, reporter: &Reporter, created_at_ms: i64) -> [u8; 32] {
    secret.digest(DOMAIN, reporter, created_at_ms)
}

/// Keeps the millisecond of a report that is erased or gets another name, if its key was derived from it.
pub(crate) fn reserve(
    connection: &Connection,
    reporter: &Reporter,
    key: IdempotencyKey,
) -> Result<(), OutboxError> {
    let created_at_ms = key.created_at_ms();
    let created_at = Timestamp::from_unix_ms(created_at_ms).map_err(|_| OutboxError::Corrupt)?;
    if IdempotencyKey::derive(reporter, created_at) == key {
        let mark = mark(&own::marking(connection)?, reporter, created_at_ms);
        put(connection, &mark, forget_after_ms(created_at_ms))?;
    }
    Ok(())
}

/// So coarse that it says little about when the report was made.
pub(crate) fn forget_after_ms(created_at_ms: i64) -> i64 {
    (created_at_ms / RESERVED_FOR_MS).saturating_add(2).saturating_mul(RESERVED_FOR_MS)
}

/// Keeps a mark.
pub(crate) fn put(connection: &Connection, mark: &[u8], until_ms: i64) -> Result<(), OutboxError> {
    let sql = "INSERT OR IGNORE INTO reserved (mark, until_ms) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![mark, until_ms])?;
    Ok(())
}

/// Whether a report of that millisecond was erased.
pub(crate) fn is_reserved(
    connection: &Connection,
    secret: &OutboxSecret,
    reporter: &Reporter,
    created_at_ms: i64,
) -> Result<bool, OutboxError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM reserved WHERE mark = ?1)";
    let mark = mark(secret, reporter, created_at_ms);
    Ok(connection.prepare_cached(sql)?.query_row([&mark[..]], |row| row.get(0))?)
}

/// Forgets what no clock steps back onto any more.
pub(crate) fn forget_old(connection: &Connection, now_ms: i64) -> Result<(), OutboxError> {
    connection.execute("DELETE FROM reserved WHERE until_ms < ?1", [now_ms])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_kept_for_400_to_800_days_and_says_no_more_of_the_moment() {
        for created_at_ms in [0, 1, RESERVED_FOR_MS - 1, RESERVED_FOR_MS, 1_795_342_530_120] {
            let kept_ms = forget_after_ms(created_at_ms) - created_at_ms;
            assert!((RESERVED_FOR_MS + 1..=2 * RESERVED_FOR_MS).contains(&kept_ms), "{created_at_ms}");
            assert_eq!(forget_after_ms(created_at_ms) % RESERVED_FOR_MS, 0, "{created_at_ms}");
        }
    }
}
