//! What the outbox keeps for itself: two secrets, what has still to be erased, and when an anonymous report may go.

use incident_core::OutboxSecret;
use rusqlite::{Connection, params};

use super::super::error::OutboxError;

/// Which entries were erased since the file was last rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErasedEntries {
    /// None.
    None,
    /// Named ones, of which gaps between rows may hold copies.
    Named,
    /// Anonymous ones, too, of which no copy may stay anywhere.
    Anonymous,
}

/// 32 random bytes of the system's.
pub(crate) fn new_secret() -> Result<OutboxSecret, OutboxError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| OutboxError::Unavailable(error.to_string().into()))?;
    Ok(OutboxSecret::new(bytes))
}

/// The one row of a new file.
pub(crate) fn create(connection: &Connection) -> Result<(), OutboxError> {
    let (sealing, marking) = (new_secret()?, new_secret()?);
    restore(connection, &sealing, &marking)
}

/// Takes over the secrets of a file that was corrupt.
pub(crate) fn restore(
    connection: &Connection,
    sealing: &OutboxSecret,
    marking: &OutboxSecret,
) -> Result<(), OutboxError> {
    let sql = "INSERT OR REPLACE INTO own (id, sealing, marking) VALUES (1, ?1, ?2)";
    connection.execute(sql, params![sealing.as_bytes(), marking.as_bytes()])?;
    Ok(())
}

/// The secret of the keys of anonymous reports.
pub(crate) fn sealing(connection: &Connection) -> Result<OutboxSecret, OutboxError> {
    secret(connection, "SELECT sealing FROM own WHERE id = 1")
}

/// The secret of the marks of erased reports.
pub(crate) fn marking(connection: &Connection) -> Result<OutboxSecret, OutboxError> {
    secret(connection, "SELECT marking FROM own WHERE id = 1")
}

fn secret(connection: &Connection, sql: &str) -> Result<OutboxSecret, OutboxError> {
    let bytes: Vec<u8> = connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(OutboxSecret::new(bytes.try_into().map_err(|_| OutboxError::Corrupt)?))
}

/// Notes that entries were erased. After an anonymous one the sealing secret is a new one: whoever gets hold of the
/// file later cannot compute the key of what is gone, and its millisecond needs no mark.
pub(crate) fn note(connection: &Connection, erased: ErasedEntries) -> Result<(), OutboxError> {
    let sql = "UPDATE own SET erased = ?1 WHERE erased < ?1";
    connection.prepare_cached(sql)?.execute([erased as i64])?;
    if erased == ErasedEntries::Anonymous {
        let sql = "UPDATE own SET sealing = ?1";
        connection.prepare_cached(sql)?.execute([new_secret()?.as_bytes()])?;
    }
    Ok(())
}

/// What was erased since the file was last rebuilt.
pub(crate) fn erased(connection: &Connection) -> Result<ErasedEntries, OutboxError> {
    let sql = "SELECT erased FROM own WHERE id = 1";
    Ok(match connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))? {
        0 => ErasedEntries::None,
        1 => ErasedEntries::Named,
        _ => ErasedEntries::Anonymous,
    })
}

/// The file was rebuilt.
pub(crate) fn all_gone(connection: &Connection) -> Result<(), OutboxError> {
    connection.execute("UPDATE own SET erased = 0", [])?;
    Ok(())
}

/// Before which moment no anonymous report may go.
pub(crate) fn anonymous_after_ms(connection: &Connection) -> Result<i64, OutboxError> {
    let sql = "SELECT anonymous_after_ms FROM own WHERE id = 1";
    Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Lets no anonymous report go before this moment.
pub(crate) fn set_anonymous_after_ms(connection: &Connection, moment_ms: i64) -> Result<(), OutboxError> {
    connection.prepare_cached("UPDATE own SET anonymous_after_ms = ?1")?.execute([moment_ms])?;
    Ok(())
}
