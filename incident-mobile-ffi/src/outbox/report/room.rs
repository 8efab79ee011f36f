//! Whether there is room for one more report.

use rusqlite::Connection;

use super::super::{
    error::OutboxError,
    file::database::File,
    limits::{Limits, RESERVED_PART},
};

/// Whether this reporter's entries that wait are as many or as long as they may be. What is in quarantine and what
/// others left does not count: of the bytes, a tenth is always there for new reports.
pub(crate) fn is_full(connection: &Connection, reporter: &str, limits: Limits) -> Result<bool, OutboxError> {
    let sql = "SELECT count(*) FROM entry WHERE reporter = ?1 AND state = 0";
    let waiting: i64 = connection.prepare_cached(sql)?.query_row([reporter], |row| row.get(0))?;
    if waiting >= limits.entries {
        return Ok(true);
    }
    if File::bytes(connection)? < limits.bytes {
        return Ok(false);
    }
    let sql = "SELECT coalesce(sum(octet_length(payload)), 0) FROM entry WHERE reporter = ?1 AND state = 0";
    let bytes: i64 = connection.prepare_cached(sql)?.query_row([reporter], |row| row.get(0))?;
    Ok(bytes >= limits.bytes / RESERVED_PART)
}
