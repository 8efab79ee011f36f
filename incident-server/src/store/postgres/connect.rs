//! A session with a primary: how it is opened, and how it is known to be one.

use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};

use crate::store::OpenError;

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

/// The session, if it still speaks with a primary.
pub(super) async fn check(mut session: PgConnection) -> Result<PgConnection, OpenError> {
    let read_only: bool =
        sqlx::query_scalar(CHECK).fetch_one(&mut session).await.map_err(OpenError::unusable)?;
    if read_only { Err(OpenError::ReadOnly) } else { Ok(session) }
}

/// The server gives up on its own what nobody waits for any more: a lock wait, a peer that is gone.
pub(super) fn settings(purpose: Use) -> Vec<(&'static str, &'static str)> {
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
