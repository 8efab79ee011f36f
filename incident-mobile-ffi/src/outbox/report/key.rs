//! The name of a report.

use incident_core::{Facts, IdempotencyKey, Reporter};
use rusqlite::Connection;

use super::super::{error::OutboxError, file::own};

/// The key of a new report: sealed for an anonymous one, so that nobody who knows its reporter can compute it.
pub(crate) fn key(
    connection: &Connection,
    reporter: &Reporter,
    facts: &Facts,
) -> Result<IdempotencyKey, OutboxError> {
    Ok(if facts.is_anonymous {
        IdempotencyKey::seal(&own::sealing(connection)?, reporter, facts.created_at)
    } else {
        IdempotencyKey::derive(reporter, facts.created_at)
    })
}
