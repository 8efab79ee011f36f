//! Tables and settings of the file.

use rusqlite::{Connection, Transaction};

use super::super::{error::OutboxError, options::FileOptions};

pub(crate) const PAGE_BYTES: i64 = 4096;
/// `PRAGMA user_version`: a change of the tables raises it.
const VERSION: i64 = 1;
/// `PRAGMA application_id`: "inci", so that another program's database is never taken for an outbox.
const APPLICATION: i64 = 0x696e_6369;

/// `salvage.rs` reads rows of `entry` and of its index by the order of their columns.
const TABLES: &str = "
CREATE TABLE entry (
    seq            INTEGER PRIMARY KEY,
    reporter       TEXT NOT NULL,
    key            TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    state          INTEGER NOT NULL,
    anonymous      INTEGER NOT NULL,
    payload        TEXT NOT NULL,
    reported_at_ms INTEGER NOT NULL,
    changed_at_ms  INTEGER NOT NULL,
    attempts       INTEGER NOT NULL DEFAULT 0,
    strikes        INTEGER NOT NULL DEFAULT 0,
    first_strike   INTEGER NOT NULL DEFAULT 0,
    not_before_ms  INTEGER NOT NULL DEFAULT 0,
    problem        TEXT,
    incident       TEXT
) STRICT;
CREATE UNIQUE INDEX entry_name ON entry (reporter, created_at_ms);
CREATE INDEX entry_turn ON entry (reporter, state, strikes, anonymous);
CREATE INDEX entry_age ON entry (changed_at_ms) WHERE state = 1;
-- What is left of an erased entry: its millisecond, so that no later report takes it.
CREATE TABLE spent (
    reporter       TEXT NOT NULL,
    created_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (reporter, created_at_ms)
) STRICT, WITHOUT ROWID;
CREATE TABLE pace (
    reporter       TEXT NOT NULL PRIMARY KEY,
    failures       INTEGER NOT NULL DEFAULT 0,
    successes      INTEGER NOT NULL DEFAULT 0,
    until_ms       INTEGER NOT NULL DEFAULT 0,
    asked_until_ms INTEGER NOT NULL DEFAULT 0,
    longest_ms     INTEGER NOT NULL DEFAULT 0,
    why            INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    id             INTEGER PRIMARY KEY CHECK (id = 1),
    owner          INTEGER NOT NULL,
    process        INTEGER NOT NULL,
    until_ms       INTEGER NOT NULL
) STRICT;
";

/// Durable at every commit; erased means overwritten; a damaged page is found when it is read.
pub(crate) fn set_up(connection: &Connection, options: &FileOptions) -> Result<(), OutboxError> {
    connection.busy_timeout(options.patience)?;
    connection.execute_batch(
        "PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;",
    )?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(())
}

/// Creates the tables in a new file.
pub(crate) fn migrate(transaction: &Transaction<'_>) -> Result<(), OutboxError> {
    // Another process may have been faster.
    if !is_current(transaction)? {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    Ok(())
}

/// Whether the tables are there; refuses a file of a later version or of another program.
pub(crate) fn is_current(connection: &Connection) -> Result<bool, OutboxError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION, VERSION) => Ok(true),
        (APPLICATION, later) if later > VERSION => Err(OutboxError::NewerSchema),
        (0, 0) if tables == 0 => Ok(false),
        _ => Err(OutboxError::Unavailable("the file is another program's database".into())),
    }
}
