//! How SQLite says that a file is corrupt.

use libsqlite3_sys as ffi;

/// Whether SQLite says that what it read is not what it wrote.
pub(in crate::store) fn tells_corruption(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // The lower byte of an extended code is the primary one.
    let primary = code.and_then(|code| code.parse::<i32>().ok()).map(|code| code & 0xff);
    primary.is_some_and(|code| [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB].contains(&code))
}
