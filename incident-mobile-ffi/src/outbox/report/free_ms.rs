//! Which milliseconds name no report yet.

use incident_core::{Code, Pointer, Reporter, Timestamp, Violation};
use rusqlite::{Connection, params};

use super::super::{
    error::OutboxError,
    file::{own, reserved::is_reserved},
};

/// Milliseconds that this process knows to be in use, without a gap.
#[derive(Debug)]
pub(crate) struct FreeMs {
    from_ms: i64,
    to_ms: i64,
}

impl Default for FreeMs {
    fn default() -> Self {
        Self { from_ms: 0, to_ms: -1 }
    }
}

impl FreeMs {
    /// The first millisecond from `wanted` on that names no report of this reporter, past or present.
    pub(crate) fn next_free(
        &mut self,
        connection: &Connection,
        reporter: &Reporter,
        wanted: Timestamp,
    ) -> Result<Timestamp, OutboxError> {
        let wanted_ms = wanted.unix_ms();
        if !(self.from_ms..=self.to_ms).contains(&wanted_ms) {
            *self = Self { from_ms: wanted_ms, to_ms: wanted_ms - 1 };
        }
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE reporter = ?1 AND created_at_ms = ?2)";
        let marking = own::marking(connection)?;
        let mut statement = connection.prepare_cached(sql)?;
        let mut free_ms = self.to_ms + 1;
        while statement.query_row(params![reporter.as_str(), free_ms], |row| row.get(0))?
            || is_reserved(connection, &marking, reporter, free_ms)?
        {
            free_ms += 1;
        }
        self.to_ms = free_ms;
        let violation = Violation { pointer: Pointer::CreatedAt, code: Code::Timestamp };
        Timestamp::from_unix_ms(free_ms).map_err(|_| OutboxError::Invalid(vec![violation]))
    }
}
