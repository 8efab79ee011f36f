//! The tables at the start: their owner makes them and brings them up to date, and whoever uses them needs to be allowed
//! less.

use sqlx::{PgConnection, migrate::Migrate};

use super::inspect;
use crate::store::{OpenError, inspect::Schema, migrations};

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

/// Brings them up to date, unless they are. The migrator takes an advisory lock, so one of several servers migrates and the
/// others wait; and it asks for the right to make tables even where there are none to be made.
pub(super) async fn bring_up_to_date(session: &mut PgConnection) -> Result<(), OpenError> {
    if !are_up_to_date(session).await? {
        migrations::POSTGRES.run_direct(None, session, false).await?;
    }
    Ok(())
}

/// Whether every step was taken, and as it stands here.
async fn are_up_to_date(session: &mut PgConnection) -> Result<bool, OpenError> {
    match inspect::schema(session).await.map_err(OpenError::unusable)? {
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
