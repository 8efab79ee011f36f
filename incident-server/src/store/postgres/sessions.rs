//! A few sessions with the primary, kept between uses.
//!
//! A session is used by one caller at a time and only given back after success. Whatever interrupts its use
//! (an error, a deadline, a caller that goes away) drops it, and that closes the socket: so no use ever meets
//! the remains of another.
//!
//! A statement that takes long may wait for the standby, and dropped it would leave its process behind in the server;
//! or its link may be dead, and then it would be waited for in vain. So the server is asked over another session
//! whether the process is still at work, and only one that is not is given up.

use std::{
    io,
    sync::{
        PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use sqlx::{
    Connection, FromRow, Postgres,
    postgres::{PgArguments, PgConnectOptions, PgRow},
    query::Query,
};
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::connect::{Backend, Session, Use, check, connect_for, is_at_work};
use crate::store::{
    OpenError, StoreError,
    pools::{Pool, Waits},
};

/// A session that was idle for longer is asked whether it still speaks with a primary.
const TRUSTED_IDLE: Duration = Duration::from_millis(500);
/// A session that is silent for longer when it is asked is dead.
const CHECK_DEADLINE: Duration = Duration::from_secs(1);
const CONNECT_DEADLINE: Duration = Duration::from_secs(2);
/// How long a session is looked for: who waits is answered by then.
const SEARCH_DEADLINE: Duration = Duration::from_secs(4);
/// A statement that takes longer is asked after, and again after as long.
const ASK_AFTER: Duration = Duration::from_secs(1);
const PAUSE_BETWEEN_ATTEMPTS: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// At most so many sessions.
pub(super) struct Sessions {
    options: PgConnectOptions,
    purpose: Use,
    permits: Semaphore,
    limit: usize,
    waits: Waits,
    idle: std::sync::Mutex<Vec<Idle>>,
    /// There was no primary at the last attempt; logged when it changes.
    away: AtomicBool,
}

struct Idle {
    session: Session,
    since: Instant,
}

impl Sessions {
    pub(super) fn new(options: &PgConnectOptions, purpose: Use, limit: usize) -> Self {
        Self {
            options: options.clone(),
            purpose,
            permits: Semaphore::new(limit),
            limit,
            waits: Waits::default(),
            idle: std::sync::Mutex::default(),
            away: AtomicBool::new(false),
        }
    }

    /// Runs one statement that commits by itself, again if it is certain that nothing happened; one that only reads
    /// once more if its session turns out to be dead.
    ///
    /// Reads all rows to the end: the error of a commit comes behind the last one. A statement has no deadline; a
    /// caller may drop one that only reads at any time.
    pub(super) async fn run<'q>(
        &self,
        statement: impl Fn() -> Query<'q, Postgres, PgArguments> + Send + Sync,
    ) -> Result<Vec<PgRow>, StoreError> {
        let (started, wait) = (Instant::now(), self.waits.begin());
        let (_permit, mut session) = in_search_time(async {
            let permit = self.permits.acquire().await.map_err(away)?;
            Ok((permit, self.primary().await))
        })
        .await?;
        drop(wait);
        let mut may_read_again = self.purpose != Use::Write;
        loop {
            match self.answer(&mut session, statement()).await {
                Ok(rows) => {
                    self.give_back(session);
                    return Ok(rows);
                }
                Err(error) if nothing_happened(&error) && started.elapsed() < SEARCH_DEADLINE => {
                    log(&error, "PostgreSQL statement had no effect; sent again");
                }
                Err(error) if may_read_again && is_dead(&error) => {
                    may_read_again = false;
                    log(&error, "PostgreSQL session is dead; read again over another one");
                }
                Err(error) => {
                    log(&error, "PostgreSQL statement failed; its session is closed");
                    return Err(error.into());
                }
            }
            drop(session);
            sleep(PAUSE_BETWEEN_ATTEMPTS).await;
            session = in_search_time(async { Ok(self.primary().await) }).await?;
        }
    }

    /// The answer to a statement, or an error once nothing in the server works for it any more.
    async fn answer(
        &self,
        session: &mut Session,
        statement: Query<'_, Postgres, PgArguments>,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let Session { connection, backend } = session;
        tokio::select! {
            biased;
            answer = statement.fetch_all(connection) => answer.inspect_err(|error| self.discard_elders(error)),
            () = self.gives_up(backend) => {
                let dead = io::Error::new(io::ErrorKind::TimedOut, "the session with PostgreSQL is dead");
                Err(sqlx::Error::Io(dead)).inspect_err(|error| self.discard_elders(error))
            }
        }
    }

    /// Where one session is dead, those that were idle meanwhile are, too: a server that restarts ends all of them, a
    /// router forgets all of them.
    fn discard_elders(&self, error: &sqlx::Error) {
        if is_dead(error) {
            self.discard_idle(Instant::now());
        }
    }

    /// Returns once the server says that the process is gone, or idle, though its answer did not arrive.
    async fn gives_up(&self, backend: &Backend) {
        loop {
            sleep(ASK_AFTER).await;
            let asked = timeout(CONNECT_DEADLINE, is_at_work(&self.options, backend)).await;
            if matches!(asked, Ok(Ok(false))) {
                return;
            }
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
    async fn primary(&self) -> Session {
        let mut pause = PAUSE_BETWEEN_ATTEMPTS;
        loop {
            if let Some(session) = self.idle().await {
                return session;
            }
            match timeout(CONNECT_DEADLINE, connect_for(&self.options, self.purpose)).await {
                Ok(Ok(session)) => {
                    self.is_back();
                    return session;
                }
                Ok(Err(error)) => self.is_away(&error),
                Err(_) => self.is_away(&OpenError::late()),
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A session from before, if one still speaks. The last one that was used is asked; if it is dead, so are those
    /// that have been silent for longer.
    async fn idle(&self) -> Option<Session> {
        let Idle { session, since } = self.take()?;
        if since.elapsed() < TRUSTED_IDLE {
            return Some(session);
        }
        if let Ok(Ok(session)) = timeout(CHECK_DEADLINE, check(session, self.purpose)).await {
            return Some(session);
        }
        self.discard_idle(since);
        None
    }

    /// How busy they are.
    pub(super) fn pool(&self, name: &'static str) -> Pool {
        self.waits.pool(name, self.limit.saturating_sub(self.permits.available_permits()), self.limit)
    }

    /// Closes the sessions that have not been used since.
    pub(super) fn discard_idle(&self, since: Instant) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).retain(|idle| idle.since > since);
    }

    fn is_away(&self, error: &OpenError) {
        if !self.away.swap(true, Ordering::Relaxed) {
            tracing::warn!(with = self.whom(), %error, "no PostgreSQL session can be had; tried again until there is one");
        }
    }

    fn is_back(&self) {
        if self.away.swap(false, Ordering::Relaxed) {
            tracing::info!(with = self.whom(), "there are PostgreSQL sessions again");
        }
    }

    fn whom(&self) -> &'static str {
        if self.purpose == Use::ReadAnywhere { "the standby" } else { "a primary" }
    }

    fn take(&self) -> Option<Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, session: Session) {
        let idle = Idle { session, since: Instant::now() };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(idle);
    }

    /// Refuses further use and says good-bye to the server.
    pub(super) async fn close(&self) {
        self.permits.close();
        while let Some(idle) = self.take() {
            let _ = idle.session.connection.close().await; // there is nothing left to lose
        }
    }
}

async fn in_search_time<T>(search: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(SEARCH_DEADLINE, search).await.map_err(away)?
}

fn away(error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

/// Whether the session has ended: its link is broken, or the server is stopping, or ended it.
fn is_dead(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P0")),
        _ => false,
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
