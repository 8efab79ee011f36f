//! A look at the database before a start: all that a start would do but for the tables.

use std::{str::FromStr, time::Instant};

use incident_core::Timestamp;
use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

use super::{
    connect::{self, Use},
    tables,
};
use crate::{
    Clock,
    store::{
        OpenError,
        from_row::from_row,
        inspect::{Inspection, Schema},
    },
};

const SERVER: &str = "
    SELECT
        current_setting('server_version') AS version,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms,
        to_regclass('_sqlx_migrations') IS NOT NULL AS has_tables";
const MAY_MAKE_TABLES: &str = "
    SELECT
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)
        AND NOT EXISTS (
            SELECT
            FROM pg_class
            WHERE oid = to_regclass('incidents')
                AND NOT pg_has_role(relowner, 'USAGE')
        )";
const TABLES: &str = "
    SELECT
        EXISTS (SELECT FROM incidents) AS holds_incidents,
        (SELECT at_ms FROM history ORDER BY position DESC LIMIT 1) AS last_written_ms";
const FINGERPRINT: &str = "SELECT id_secret_fingerprint FROM installation";

const WHOSE: &str = "SELECT pg_is_in_recovery() AS is_standby, home, series FROM installation";

/// What costs durability or anonymity, with a sentence for each.
const DOUBTS: &str = "
    SELECT doubt
    FROM (VALUES
        ('fsync', 'on', 'fsync is off: a power cut may lose what was acknowledged'),
        ('full_page_writes', 'on', 'full_page_writes is off: a power cut may destroy the database'),
        ('track_commit_timestamp', 'off', 'track_commit_timestamp is on: it keeps the moment of every anonymous report'),
        ('log_parameter_max_length', '0', 'log_parameter_max_length is not 0: its log may hold texts of reports'),
        (
            'log_parameter_max_length_on_error', '0',
            'log_parameter_max_length_on_error is not 0: its log may hold texts of reports'
        ),
        ('log_error_verbosity', 'terse', 'log_error_verbosity is not terse: its log may quote rows')
    ) AS wanted (name, value, doubt)
    WHERE current_setting(name, true) <> value";

from_row! {
    struct Server {
        version: String,
        now_ms: i64,
        has_tables: bool,
    }
}

from_row! {
    struct Tables {
        holds_incidents: bool,
        last_written_ms: Option<i64>,
    }
}

/// # Errors
/// With this database the server would not start.
pub(in crate::store) async fn inspect(url: &str) -> Result<Inspection, OpenError> {
    let options = connect::plain(PgConnectOptions::from_str(url).map_err(OpenError::unusable)?);
    let mut session = connect::connect(&options).await?.connection;
    may_start(&mut session).await?;
    let mut found = look(&mut session).await.map_err(OpenError::unusable)?;
    session.close().await.map_err(OpenError::unusable)?;
    let started = Instant::now();
    connect::first_commit(&options).await?;
    let ms = started.elapsed().as_millis();
    if ms > 500 {
        found.doubts.push(format!("a commit takes {ms} ms: look at its disk, and at its standby"));
    }
    Ok(found)
}

/// Whether the second URL leads to a standby of the database behind the first.
pub(in crate::store) async fn standby_of(url: &str, standby: &str) -> Result<bool, OpenError> {
    let ((_, here), (is_standby, there)) = (whose(url).await?, whose(standby).await?);
    Ok(is_standby && here == there)
}

/// Whether it is a standby, and which database and feed it has.
async fn whose(url: &str) -> Result<(bool, (String, i64)), OpenError> {
    let options = connect::plain(PgConnectOptions::from_str(url).map_err(OpenError::unusable)?);
    let mut session = connect::connect_for(&options, Use::ReadAnywhere).await?.connection;
    let asked = sqlx::query_as(WHOSE).fetch_one(&mut session).await.map_err(OpenError::unusable)?;
    let (is_standby, home, series) = asked;
    session.close().await.map_err(OpenError::unusable)?;
    Ok((is_standby, (home, series)))
}

/// Whether the user may do with the tables what a start would.
async fn may_start(session: &mut PgConnection) -> Result<(), OpenError> {
    match tables::schema(session).await.map_err(OpenError::unusable)? {
        Schema::Newer(_) => Ok(()), // said in words of its own
        Schema::Current => tables::may_be_used(session).await,
        Schema::Missing | Schema::Older => {
            let may_make: bool =
                sqlx::query_scalar(MAY_MAKE_TABLES).fetch_one(session).await.map_err(OpenError::unusable)?;
            let refusal = "it may create none in their schema, or is not the owner of those that are there";
            if may_make { Ok(()) } else { Err(OpenError::MayNotMakeTables(refusal.to_owned())) }
        }
    }
}

async fn look(session: &mut PgConnection) -> Result<Inspection, sqlx::Error> {
    let server: Server = sqlx::query_as(SERVER).fetch_one(&mut *session).await?;
    let clocks_apart_ms = Clock::system().now().unix_ms().abs_diff(server.now_ms);
    let schema = tables::schema(session).await?;
    let doubts: Vec<String> = sqlx::query_scalar(DOUBTS).fetch_all(&mut *session).await?;
    let mut tables = Tables { holds_incidents: false, last_written_ms: None };
    if server.has_tables {
        tables = sqlx::query_as(TABLES).fetch_one(&mut *session).await?;
    }
    let mut id_secret_fingerprint = None;
    if schema == Schema::Current {
        id_secret_fingerprint = sqlx::query_scalar(FINGERPRINT).fetch_optional(session).await?.flatten();
    }
    Ok(Inspection {
        software: format!("PostgreSQL {}", server.version),
        schema,
        holds_incidents: tables.holds_incidents,
        id_secret_fingerprint,
        last_written: tables.last_written_ms.and_then(|ms| Timestamp::from_unix_ms(ms).ok()),
        clocks_apart_ms: Some(clocks_apart_ms),
        is_shared: true,
        doubts,
    })
}
