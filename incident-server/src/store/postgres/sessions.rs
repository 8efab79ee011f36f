//! A few sessions with the primary, kept between uses.
//!
//! A session is used by one caller at a time and only given back after success. Whatever interrupts its use
//! (an error, a deadline, a caller that goes away) drops it, and that closes the socket: so no use ever meets
//! the remains of another, and a dead link is left behind at the caller's deadline.

use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, FromRow, PgConnection, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::{sync::Semaphore, time::sleep};

use crate::store::{OpenError, StoreError};

/// A session that was idle for longer is asked whether it still speaks with a primary.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
const OLDEST_VERSION: u32 = 14_00_00;

/// Durable means on disk, here and on the synchronous standby, whatever the server's default is.
const PREPARE: &str = "
    SELECT
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
        CASE WHEN current_setting('synchronous_commit') <> 'remote_apply'
            THEN set_config('synchronous_commit', 'on', false)
        END";

const CHECK: &str = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Few statements, again and again: their plans are made once, and never scan a table.
    Write,
    /// Statements that depend on what is asked for.
    Read,
}

/// At most so many sessions.
pub(super) struct Sessions {
    options: PgConnectOptions,
    places: Semaphore,
    idle: std::sync::Mutex<Vec<Idle>>,
}

struct Idle {
    session: PgConnection,
    since: Instant,
}

impl Sessions {
    pub(super) fn new(options: &PgConnectOptions, purpose: Use, places: usize) -> Self {
        let options = options.clone().options(settings(purpose)).disable_statement_logging();
        Self { options, places: Semaphore::new(places), idle: std::sync::Mutex::default() }
    }

    /// Runs one statement that commits by itself, again if it is certain that nothing happened.
    ///
    /// Reads all rows to the end: the error of a commit comes behind the last one. It has no deadline of its
    /// own; the caller may drop it at any time.
    pub(super) async fn run<'q>(
        &self,
        statement: impl Fn() -> Query<'q, Postgres, PgArguments> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        let _place =
            self.places.acquire().await.map_err(|closed| StoreError::Unavailable(Box::new(closed)))?;
        loop {
            let mut session = self.primary().await;
            match statement().fetch_all(&mut session).await {
                Ok(rows) => {
                    self.give_back(session);
                    return Ok(rows);
                }
                Err(error) if nothing_happened(&error) => log(&error, "a statement had no effect; again"),
                Err(error) => {
                    log(&error, "a statement failed; its session is closed");
                    return Err(error.into());
                }
            }
            sleep(PAUSE_BETWEEN_ATTEMPTS).await;
        }
    }

    /// As [`run`](Self::run), with the rows read into records.
    pub(super) async fn records<'q, T: for<'r> FromRow<'r, PgRow>>(
        &self,
        statement: impl Fn() -> Query<'q, Postgres, PgArguments> + Send + Sync,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.run(statement).await?;
        Ok(rows.iter().map(T::from_row).collect::<Result<_, _>>()?)
    }

    /// A session with a primary, however long it takes to find one.
    async fn primary(&self) -> PgConnection {
        loop {
            let found = match self.take() {
                Some(idle) if idle.since.elapsed() < TRUSTED_IDLE => return idle.session,
                Some(idle) => check(idle.session).await,
                None => connect(&self.options).await.map_err(|error| match error {
                    OpenError::Unusable(error) => error,
                    other => sqlx::Error::Configuration(Box::new(other)),
                }),
            };
            match found {
                Ok(session) => return session,
                Err(error) => log(&error, "there is no session with a primary; again"),
            }
            sleep(PAUSE_BETWEEN_ATTEMPTS).await;
        }
    }

    fn take(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, session: PgConnection) {
        let idle = Idle { session, since: Instant::now() };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }

    /// Refuses further use and says good-bye to the server.
    pub(super) async fn close(&self) {
        self.places.close();
        while let Some(idle) = self.take() {
            let _ = idle.session.close().await; // there is nothing left to lose
        }
    }
}

/// A new session with a primary.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let mut session = options.connect().await.map_err(OpenError::unusable)?;
    if session.server_version_num().is_some_and(|version| version < OLDEST_VERSION) {
        return Err(OpenError::OldPostgres);
    }
    let (read_only, _): (bool, Option<String>) =
        sqlx::query_as(PREPARE).fetch_one(&mut session).await.map_err(OpenError::unusable)?;
    if read_only { Err(OpenError::ReadOnly) } else { Ok(session) }
}

async fn check(mut session: PgConnection) -> Result<PgConnection, sqlx::Error> {
    let read_only: bool = sqlx::query_scalar(CHECK).fetch_one(&mut session).await?;
    if read_only { Err(sqlx::Error::Configuration(Box::new(OpenError::ReadOnly))) } else { Ok(session) }
}

/// The server gives up on its own what nobody waits for any more: a lock wait, a peer that is gone.
fn settings(purpose: Use) -> Vec<(&'static str, &'static str)> {
    let mut settings = vec![
        ("application_name", "incident-server"),
        ("statement_timeout", "8s"),
        ("client_connection_check_interval", "1s"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
        ("tcp_user_timeout", "10000"),
        ("jit", "off"),
    ];
    settings.extend(match purpose {
        Use::Write => [("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off")],
        Use::Read => [("plan_cache_mode", "force_custom_plan"), ("enable_seqscan", "on")],
    });
    settings
}

/// Serialisation failure, deadlock, read-only, starting up, no session left: refused before any effect.
fn nothing_happened(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["40001", "40P01", "25006", "57P03", "53300"].contains(&&*code))
}

/// Database texts may quote rows, so only the code is logged.
fn log(error: &sqlx::Error, what: &'static str) {
    match error {
        sqlx::Error::Database(error) => tracing::warn!(sqlstate = error.code().as_deref(), "{what}"),
        error => tracing::warn!(%error, "{what}"),
    }
}
