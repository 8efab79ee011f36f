//! A look at the file before a start. Nothing is made, not even a side file.

use std::path::Path;

use incident_core::Timestamp;
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{
    lock::{beside, has_other_names, is_held, real},
    prepare::{check_edges, check_version, refuse_foreign},
    side_files::refuse_seemingly_empty,
};
use crate::{
    limits::LOCK_DEADLINE,
    store::{
        OpenError,
        inspect::{Inspection, Schema},
        migrations,
    },
};

const HAS_TABLES: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')";
const NEWEST: &str = "SELECT max(version) FROM _sqlx_migrations";
const LAST_WRITTEN: &str = "SELECT at_ms FROM history ORDER BY position DESC LIMIT 1";
const FINGERPRINT: &str = "SELECT id_secret_fingerprint FROM installation";

/// Reads the file beside whoever writes it.
pub(in crate::store) async fn read_only(file: &Path) -> Result<SqliteConnection, OpenError> {
    refuse_seemingly_empty(file)?;
    connect(file, false).await
}

/// A file that nobody writes may be taken as it lies: then not even a side file is made.
async fn connect(file: &Path, as_it_lies: bool) -> Result<SqliteConnection, OpenError> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(LOCK_DEADLINE);
    let options = options.read_only(true).immutable(as_it_lies);
    options.disable_statement_logging().connect().await.map_err(|error| OpenError::from_file(error, file))
}

pub(in crate::store) async fn schema(session: &mut SqliteConnection) -> Result<Schema, sqlx::Error> {
    let has_tables: bool = sqlx::query_scalar(HAS_TABLES).fetch_one(&mut *session).await?;
    let newest = if has_tables { sqlx::query_scalar(NEWEST).fetch_one(session).await? } else { None };
    Ok(Schema::of(newest, &migrations::SQLITE))
}

/// # Errors
/// With this file the server would not start.
pub(in crate::store) async fn inspect(file: &Path) -> Result<Inspection, OpenError> {
    let mut found = Inspection {
        software: "SQLite".to_owned(),
        schema: Schema::Missing,
        holds_incidents: false,
        id_secret_fingerprint: None,
        last_written: None,
        clocks_apart_ms: None,
        is_shared: false,
        doubts: Vec::new(),
    };
    refuse_seemingly_empty(file)?;
    let file = &*real(file);
    if !file.exists() {
        return Ok(found);
    }
    if has_other_names(file) {
        return Err(OpenError::SeveralNames(file.to_owned()));
    }
    if is_held(file) {
        let file = file.display();
        found.doubts.push(format!("a server runs on {file}: another one is refused until it has ended"));
    }
    let mut session = connect(file, !beside(file, "-wal").exists()).await?;
    check_version(&mut session).await?;
    refuse_foreign(&mut session, file).await?;
    let looked = look(&mut session, &mut found).await;
    looked.map_err(|error| OpenError::from_file(error, file))?;
    session.close().await.map_err(OpenError::unusable)?;
    Ok(found)
}

async fn look(session: &mut SqliteConnection, found: &mut Inspection) -> Result<(), sqlx::Error> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut *session).await?;
    found.software = format!("SQLite {version}");
    found.schema = schema(session).await?;
    if found.schema == Schema::Missing {
        return Ok(());
    }
    if found.schema == Schema::Current {
        check_edges(session).await?;
    }
    found.holds_incidents = super::installation::has_incidents(session).await?;
    let last: Option<i64> = sqlx::query_scalar(LAST_WRITTEN).fetch_optional(&mut *session).await?;
    found.last_written = last.and_then(|ms| Timestamp::from_unix_ms(ms).ok());
    if found.schema == Schema::Current {
        found.id_secret_fingerprint = sqlx::query_scalar(FINGERPRINT).fetch_one(session).await?;
    }
    Ok(())
}
