//! A few sessions with the primary, kept between uses.
//!
//! A session is used by one caller at a time and only given back after success. Whatever interrupts its use
//! (an error, a deadline, a caller that goes away) drops it, and that closes the socket: so no use ever meets
//! the remains of another, and a dead link is left behind at the caller's deadline.

use std::{
    sync::{
        PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, FromRow, PgConnection, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::{sync::Semaphore, time::sleep};

use super::connect::{Use, check, connect, settings};
use crate::store::{OpenError, StoreError};

/// A session that was idle for longer is asked whether it still speaks with a primary.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// At most so many sessions.
pub(super) struct Sessions {
    options: PgConnectOptions,
    places: Semaphore,
    idle: std::sync::Mutex<Vec<Idle>>,
    /// There was no primary at the last attempt; logged when it changes.
    away: AtomicBool,
}

struct Idle {
    session: PgConnection,
    since: Instant,
}

impl Sessions {
    pub(super) fn new(options: &PgConnectOptions, purpose: Use, places: usize) -> Self {
        let options = options.clone().options(settings(purpose)).disable_statement_logging();
        Self {
            options,
            places: Semaphore::new(places),
            idle: std::sync::Mutex::default(),
            away: AtomicBool::new(false),
        }
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
        let mut pause = PAUSE_BETWEEN_ATTEMPTS;
        loop {
            let found = match self.take() {
                Some(idle) if idle.since.elapsed() < TRUSTED_IDLE => return idle.session,
                Some(idle) => check(idle.session).await,
                None => connect(&self.options).await,
            };
            match found {
                Ok(session) => {
                    self.is_back();
                    return session;
                }
                Err(error) => self.is_away(&error),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn is_away(&self, error: &OpenError) {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "there is no session with a primary; trying on");
        }
    }

    fn is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!("there is a primary again");
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
