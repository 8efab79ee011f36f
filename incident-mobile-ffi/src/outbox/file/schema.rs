//! Tables and settings of the file.

use std::{fs::File, io::Read, path::Path};

use incident_core::Reporter;
use rusqlite::{Connection, Transaction};

use super::{
    super::{error::OutboxError, options::FileOptions},
    erase,
    own::{self, ErasedEntries},
    reserved,
};

pub(crate) const PAGE_BYTES: i64 = 4096;
/// `PRAGMA user_version`: a change of the tables raises it.
const VERSION: i64 = 2;
/// `PRAGMA application_id`: "inci", so that another program's database is never taken for an outbox.
pub(crate) const APPLICATION: i64 = 0x696e_6369;

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

/// What version 2 added.
const TABLES_2: &str = "
-- Pages of the list: by state, newest first. The other way round `salvage.rs` would take it for `entry_name`.
CREATE INDEX entry_list ON entry (state, reporter);
CREATE TABLE own (
    id                 INTEGER PRIMARY KEY CHECK (id = 1),
    sealing            BLOB NOT NULL,
    marking            BLOB NOT NULL,
    erased             INTEGER NOT NULL DEFAULT 0,
    anonymous_after_ms INTEGER NOT NULL DEFAULT 0
) STRICT;
-- What is left of an erased entry under a derived key, so that no later report takes its millisecond.
CREATE TABLE reserved (
    mark               BLOB NOT NULL PRIMARY KEY,
    until_ms           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Durable at every commit; erased means overwritten; a damaged page is found when it is read.
pub(crate) fn set_up(connection: &Connection, options: &FileOptions) -> Result<(), OutboxError> {
    connection.execute_batch(
        "PRAGMA page_size = 4096;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;",
    )?;
    if let Some(pages) = options.max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(())
}

/// Creates the tables in a new file, or brings an older one up to date.
pub(crate) fn migrate(transaction: &Transaction<'_>) -> Result<(), OutboxError> {
    // Another process may have been faster.
    let version = version(transaction)?;
    if version == VERSION {
        return Ok(());
    }
    if version == 0 {
        transaction.execute_batch(TABLES)?;
    }
    transaction.execute_batch(TABLES_2)?;
    own::create(transaction)?;
    if version == 1 {
        from_version_1(transaction)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(())
}

/// Version 1 kept the milliseconds of erased entries as they were, and settled anonymous entries like any other.
fn from_version_1(transaction: &Transaction<'_>) -> Result<(), OutboxError> {
    let mut statement = transaction.prepare("SELECT reporter, created_at_ms FROM spent")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let reporter = Reporter::parse(&row.get::<_, String>(0)?).map_err(|_| OutboxError::Corrupt)?;
        let created_at_ms = row.get(1)?;
        let mark = reserved::mark(&own::marking(transaction)?, &reporter, created_at_ms);
        reserved::put(transaction, &mark, reserved::forget_after_ms(created_at_ms))?;
    }
    transaction.execute_batch("DROP TABLE spent")?;
    let settled = "SELECT seq FROM entry WHERE state = 1 AND anonymous = 1";
    erase::all(transaction, settled, &[])?;
    own::note(transaction, ErasedEntries::Anonymous)
}

/// Whether the tables are there and up to date.
pub(crate) fn is_current(connection: &Connection) -> Result<bool, OutboxError> {
    Ok(version(connection)? == VERSION)
}

/// Refuses a file that a later version has taken over since it was opened here.
pub(crate) fn refuse_later(connection: &Connection) -> Result<(), OutboxError> {
    let mut statement = connection.prepare_cached("PRAGMA user_version")?;
    let version: i64 = statement.query_row([], |row| row.get(0))?;
    if version > VERSION { Err(OutboxError::NewerSchema) } else { Ok(()) }
}

/// Refuses a damaged file whose head says that a later version wrote it: of what that has added a repair would save
/// nothing. (SQLite, "Database File Format", section 1.3.)
pub(crate) fn refuse_later_head(path: &Path) -> Result<(), OutboxError> {
    let (mut begin, mut version, mut between, mut application) = ([0; 60], [0; 4], [0; 4], [0; 4]);
    let parts = [&mut begin[..], &mut version, &mut between, &mut application];
    let Ok(mut file) = File::open(path) else { return Ok(()) };
    let is_whole = parts.into_iter().all(|part| file.read_exact(part).is_ok());
    let is_ours = is_whole
        && begin.starts_with(b"SQLite format 3\0")
        && i64::from(i32::from_be_bytes(application)) == APPLICATION;
    let is_later = i64::from(i32::from_be_bytes(version)) > VERSION;
    if is_ours && is_later { Err(OutboxError::NewerSchema) } else { Ok(()) }
}

/// Which version the tables have, 0 in a new file; refuses a file of a later version or of another program. One that has
/// our tables under another program's number is ours, and damaged.
fn version(connection: &Connection) -> Result<i64, OutboxError> {
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (pragma("application_id")?, pragma("user_version")?) {
        (APPLICATION, known @ 1..=VERSION) => Ok(known),
        (APPLICATION, later) if later > VERSION => Err(OutboxError::NewerSchema),
        (APPLICATION, _) => Err(OutboxError::Corrupt),
        (0, 0) if tables == 0 => Ok(0),
        _ if has_our_tables(connection)? => Err(OutboxError::Corrupt),
        _ => Err(OutboxError::Unavailable("the file is another program's database".into())),
    }
}

fn has_our_tables(connection: &Connection) -> Result<bool, OutboxError> {
    let sql =
        "SELECT count(*) = 3 FROM sqlite_schema WHERE type = 'table' AND name IN ('entry', 'pace', 'lease')";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}
