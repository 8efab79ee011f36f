//! What a `sqlite://` URL names: a file, and nothing that would keep a server from keeping reports in it.

use std::str::FromStr;

use sqlx::sqlite::SqliteConnectOptions;

use crate::store::OpenError;

/// Parameters that change nothing. With others a file is only read, shares no locks, or is in memory.
const HARMLESS: [&str; 4] = ["", "mode=rwc", "mode=rw", "cache=private"];

/// Reads a URL.
///
/// # Errors
/// It is none, names no file, or has a parameter with which nothing could be kept.
pub(super) fn options_of(url: &str) -> Result<SqliteConnectOptions, OpenError> {
    let options = SqliteConnectOptions::from_str(url).map_err(OpenError::unusable)?;
    let has_no_file = options.get_filename().as_os_str().is_empty(); // SQLite makes one for the connection alone
    if has_no_file || url.contains(":memory:") || url.contains("mode=memory") {
        return Err(OpenError::InMemory);
    }
    let (_, parameters) = url.split_once('?').unwrap_or((url, ""));
    match parameters.split('&').find(|pair| !HARMLESS.contains(pair)) {
        Some(pair) => Err(OpenError::Parameter(pair.to_owned())),
        None => Ok(options),
    }
}
