//! How SQLite says that a file is corrupt.

use libsqlite3_sys as ffi;

/// Whether SQLite says that what it read is not what it wrote.
pub(in crate::store) fn tells_corruption(error: &sqlx::Error) -> bool {
    primary_code(error).is_some_and(|code| [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB].contains(&code))
}

/// Whether it says so of a file that begins like a database; another one may be a letter.
pub(super) fn tells_corrupt_pages(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(ffi::SQLITE_CORRUPT)
}

/// The lower byte of an extended code.
fn primary_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code)?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}
