//! The tables at the start: their owner makes them and brings them up to date, and whoever uses them needs to be allowed
//! less.

use sqlx::{PgConnection, migrate::Migrate};

use crate::store::{OpenError, inspect::Schema, migrations};

const NEWEST: &str = "SELECT max(version) FROM _sqlx_migrations";

/// What a server does with its tables once they are there. Of partitioned ones the history has a default in place of an
/// identity, and that asks for the right to use the sequence.
const MISSING: &str = "
    SELECT privilege || ' on ' || name
    FROM (VALUES
        ('_sqlx_migrations', 'SELECT'),
        ('installation', 'SELECT'),
        ('installation', 'INSERT'),
        ('installation', 'UPDATE'),
        ('incidents', 'SELECT'),
        ('incidents', 'INSERT'),
        ('incidents', 'UPDATE'),
        ('history', 'SELECT'),
        ('history', 'INSERT'),
        ('history', 'DELETE'),
        ('history_position_seq', 'SELECT')
    ) AS needed (name, privilege)
    WHERE NOT has_table_privilege(name, privilege)
    UNION ALL
    SELECT 'USAGE on history_position_seq'
    WHERE NOT has_sequence_privilege('history_position_seq', 'USAGE')";

/// Who waits for a table that somebody holds keeps everybody else out of it meanwhile, other servers' writers too: so not for
/// long.
const BE_QUICK: &str = "SET lock_timeout = '2s'";

/// From now on nothing in this session waits for long.
pub(super) async fn be_quick(session: &mut PgConnection) -> Result<(), OpenError> {
    sqlx::raw_sql(BE_QUICK).execute(session).await.map(drop).map_err(OpenError::unusable)
}

/// Which version they have.
pub(in crate::store) async fn schema(session: &mut PgConnection) -> Result<Schema, sqlx::Error> {
    let has_tables = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL");
    let has_tables: bool = has_tables.fetch_one(&mut *session).await?;
    let newest = if has_tables { sqlx::query_scalar(NEWEST).fetch_one(session).await? } else { None };
    Ok(Schema::of(newest, &migrations::POSTGRES))
}

/// Brings them up to date, unless they are. The migrator takes an advisory lock, so one of several servers migrates and the
/// others wait; and it asks for the right to make tables even where there are none to be made.
pub(super) async fn bring_up_to_date(session: &mut PgConnection) -> Result<(), OpenError> {
    if !are_up_to_date(session).await? {
        session.lock().await?; // however long another server takes
        be_quick(&mut *session).await?;
        migrations::POSTGRES.run_direct(None, session, false).await?;
        session.unlock().await?;
    }
    Ok(())
}

/// Whether every step was taken, and as it stands here.
async fn are_up_to_date(session: &mut PgConnection) -> Result<bool, OpenError> {
    match schema(session).await.map_err(OpenError::unusable)? {
        Schema::Missing | Schema::Older => return Ok(false),
        Schema::Newer(version) => return Err(OpenError::TooNew(version)),
        Schema::Current => {}
    }
    let taken = session.list_applied_migrations(&migrations::POSTGRES.table_name).await?;
    let taken = taken.iter().map(|step| (step.version, &step.checksum));
    Ok(taken.eq(migrations::POSTGRES.iter().map(|step| (step.version, &step.checksum))))
}

/// # Errors
/// The user may not do all that a server does, so every sync would fail.
pub(super) async fn may_be_used(session: &mut PgConnection) -> Result<(), OpenError> {
    let missing: Vec<String> =
        sqlx::query_scalar(MISSING).fetch_all(session).await.map_err(OpenError::unusable)?;
    if missing.is_empty() { Ok(()) } else { Err(OpenError::MissingRights(missing.join(", "))) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sqlx::{ConnectOptions, Connection};
    use tokio::time::{sleep, timeout};

    use super::*;
    use crate::store::postgres::scratch;

    const WAITING: &str = "
        SELECT EXISTS (
            SELECT
            FROM pg_locks
            WHERE NOT granted
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        )";

    #[tokio::test]
    async fn tables_that_somebody_holds_keep_nobody_else_waiting_and_are_brought_up_to_date_later() {
        let options = scratch::of_version("held_tables", 5).await;
        let (mut session, mut other) = (options.connect().await.unwrap(), options.connect().await.unwrap());
        let mut holder = options.connect().await.unwrap();
        let mut dump = holder.begin().await.unwrap();
        sqlx::query("LOCK TABLE incidents IN ACCESS SHARE MODE").execute(&mut *dump).await.unwrap();
        let reading = async {
            while !sqlx::query_scalar::<_, bool>(WAITING).fetch_one(&mut other).await.unwrap() {
                sleep(Duration::from_millis(20)).await;
            }
            sqlx::query("SELECT FROM incidents").execute(&mut other).await.unwrap();
        };

        let both = async { tokio::join!(bring_up_to_date(&mut session), reading) };
        let (refused, ()) = timeout(Duration::from_secs(20), both).await.expect("nobody waits for the dump");
        dump.commit().await.unwrap();
        drop(session); // as a start does that tries again
        let mut session = options.connect().await.unwrap();
        bring_up_to_date(&mut session).await.unwrap();

        let refused = refused.unwrap_err();
        assert!(refused.may_pass() && refused.to_string().contains("a dump"), "{refused}");
        assert!(are_up_to_date(&mut session).await.unwrap());
    }
}
