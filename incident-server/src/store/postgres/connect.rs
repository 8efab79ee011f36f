//! A session with a primary: how it is opened, and how it is known to be one.
//!
//! Its settings are made by statements: a pooler in between refuses most options of a start-up message.

use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::timeout;

use super::statements::BARRIER;
use crate::{
    limits::{FIRST_COMMIT_DEADLINE, LOCK_DEADLINE_SETTING},
    store::{OpenError, StoreError, from_row::from_row},
};

/// A session speaks by then, however far away its server is.
const CONNECT_DEADLINE: Duration = Duration::from_secs(4);
const OLDEST_VERSION: u32 = 14_00_00;

/// Durable means on disk, here and on the synchronous standby, whatever the server's default is. And what may take long does
/// so, such as an index, whatever the user's statements are given elsewhere; who waits for it has a deadline. The server gives
/// up on its own what nobody waits for any more, for its peer is gone: an index would hold its lock to the end.
const PREPARE: &str = "
    SELECT
        pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on' AS read_only,
        current_setting('server_encoding') AS encoding,
        pg_backend_pid() AS process,
        (SELECT backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()) AS begun,
        CASE WHEN current_setting('synchronous_commit') <> 'remote_apply'
            THEN set_config('synchronous_commit', 'on', false)
        END,
        set_config('statement_timeout', '0', false),
        set_config('lock_timeout', '0', false),
        set_config('client_connection_check_interval', '1s', false),
        set_config('tcp_keepalives_idle', '5', false),
        set_config('tcp_keepalives_interval', '2', false),
        set_config('tcp_keepalives_count', '3', false),
        set_config('tcp_user_timeout', '10000', false)";

const CHECK: &str = "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on'";

/// Whether the process is at work: on a statement, at a lock, or waiting for the standby.
const IS_AT_WORK: &str = "
    SELECT EXISTS (
        SELECT
        FROM pg_stat_activity
        WHERE pid = $1
            AND backend_start::text = $2
            AND state = 'active'
    )";

const END: &str = "
    SELECT pg_terminate_backend(pid)
    FROM pg_stat_activity
    WHERE pid = $1
        AND backend_start::text = $2";

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Few statements, again and again: their plans are made once, and never scan a table.
    Write,
    /// Statements that depend on what is asked for.
    Read,
    /// As `Read`, on a server that may be a standby.
    ReadAnywhere,
}

/// A session, and which process of the server it speaks with.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    pub(super) backend: Backend,
}

/// A process of the server; its number may be given again.
#[derive(Debug, Clone)]
pub(super) struct Backend {
    process: i32,
    begun: Option<String>,
}

from_row! {
    struct Prepared {
        read_only: bool,
        encoding: String,
        process: i32,
        begun: Option<String>,
    }
}

/// The options without what the driver would add to the start-up message.
pub(super) fn plain(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None).application_name("incident-server").disable_statement_logging()
}

/// A new session with a primary.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<Session, OpenError> {
    match connect_anywhere(options).await? {
        (_, true) => Err(OpenError::ReadOnly),
        (session, false) => Ok(session),
    }
}

/// A new session, and whether its server takes no changes. One that accepts and says nothing is away.
async fn connect_anywhere(options: &PgConnectOptions) -> Result<(Session, bool), OpenError> {
    timeout(CONNECT_DEADLINE, begin(options)).await.map_err(|_| OpenError::late())?
}

async fn begin(options: &PgConnectOptions) -> Result<(Session, bool), OpenError> {
    let mut connection = options.connect().await.map_err(OpenError::unusable)?;
    if let Some(version) = connection.server_version_num().filter(|version| *version < OLDEST_VERSION) {
        return Err(OpenError::OldPostgres(version));
    }
    let prepared: Prepared =
        sqlx::query_as(PREPARE).fetch_one(&mut connection).await.map_err(OpenError::unusable)?;
    match prepared {
        Prepared { encoding, .. } if encoding != "UTF8" => Err(OpenError::Encoding(encoding)),
        Prepared { process, begun, read_only, .. } => {
            Ok((Session { connection, backend: Backend { process, begun } }, read_only))
        }
    }
}

/// A new session with the settings of its use, with a primary unless any server will do.
pub(super) async fn connect_for(options: &PgConnectOptions, purpose: Use) -> Result<Session, OpenError> {
    let mut session = match purpose {
        Use::ReadAnywhere => connect_anywhere(options).await?.0,
        Use::Write | Use::Read => connect(options).await?,
    };
    let settings = sqlx::raw_sql(AssertSqlSafe(settings(purpose)));
    settings.execute(&mut session.connection).await.map_err(OpenError::unusable)?;
    Ok(session)
}

/// The session, if it still speaks, and with a primary unless any server will do.
pub(super) async fn check(mut session: Session, purpose: Use) -> Result<Session, OpenError> {
    let read_only: bool =
        sqlx::query_scalar(CHECK).fetch_one(&mut session.connection).await.map_err(OpenError::unusable)?;
    if read_only && purpose != Use::ReadAnywhere { Err(OpenError::ReadOnly) } else { Ok(session) }
}

/// Commits, for that a server has started means that it can write. A commit that waits in vain is ended, lest every
/// attempt to start leaves a session behind; it changes nothing, so its success is nobody's matter.
pub(super) async fn first_commit(options: &PgConnectOptions) -> Result<(), OpenError> {
    let Session { mut connection, backend } = connect(options).await?;
    match timeout(FIRST_COMMIT_DEADLINE, sqlx::query(BARRIER).execute(&mut connection)).await {
        Ok(Ok(_)) => connection.close().await.map_err(OpenError::unusable),
        Ok(Err(error)) => Err(OpenError::NoCommit(error.into())),
        Err(late) => {
            end(options, &backend).await?;
            Err(OpenError::NoCommit(StoreError::Unavailable(Box::new(late))))
        }
    }
}

async fn end(options: &PgConnectOptions, backend: &Backend) -> Result<(), OpenError> {
    let (mut other, _) = connect_anywhere(options).await?;
    let ended = sqlx::query(END).bind(backend.process).bind(&backend.begun).execute(&mut other.connection);
    ended.await.map(drop).map_err(OpenError::unusable)
}

/// Asks the server over another session.
pub(super) async fn is_at_work(options: &PgConnectOptions, backend: &Backend) -> Result<bool, sqlx::Error> {
    let mut other = options.connect().await?;
    let asked = sqlx::query_scalar(IS_AT_WORK).bind(backend.process).bind(&backend.begun);
    let at_work = asked.fetch_one(&mut other).await?;
    other.close().await?;
    Ok(at_work)
}

/// The server gives up on its own what nobody waits for any more, such as a lock wait.
fn settings(purpose: Use) -> String {
    let plans = match purpose {
        // The tables judge what other hands write; what the core has decided need not be judged again.
        Use::Write => "SET plan_cache_mode = force_generic_plan; SET incident_server.writes = 'on'",
        // A list is a range of one index, read in its order. Where the statistics are old, a scan or a sort of what
        // is believed to be a few rows may be one of millions; so there is neither.
        Use::Read | Use::ReadAnywhere => {
            "SET plan_cache_mode = force_custom_plan; SET enable_bitmapscan = off; SET enable_sort = off"
        }
    };
    format!(
        "SET statement_timeout = '{LOCK_DEADLINE_SETTING}';
         SET jit = off;
         SET enable_seqscan = off;
         {plans}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::scratch;

    #[tokio::test]
    async fn the_time_that_a_users_statements_are_given_ends_no_migration_and_no_write() {
        let hurried = [("statement_timeout", "5s"), ("lock_timeout", "10ms")];
        let options = scratch::empty("hurried").await.options(hurried);
        let timeouts =
            "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')";
        let mut making = connect(&options).await.unwrap().connection;
        let mut writing = connect_for(&options, Use::Write).await.unwrap().connection;

        let of_making: String = sqlx::query_scalar(timeouts).fetch_one(&mut making).await.unwrap();
        let of_writing: String = sqlx::query_scalar(timeouts).fetch_one(&mut writing).await.unwrap();

        assert_eq!((&*of_making, &*of_writing), ("0 0", "3500ms 0"));
    }

    #[tokio::test]
    async fn a_server_that_accepts_and_says_nothing_is_away() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        let options = plain(PgConnectOptions::new_without_pgpass().host("127.0.0.1").port(port));

        let opened = timeout(CONNECT_DEADLINE * 2, first_commit(&options)).await;

        assert!(matches!(opened, Ok(Err(OpenError::Unusable(_)))), "{opened:?}");
    }
}
