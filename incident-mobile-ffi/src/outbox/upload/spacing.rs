//! How far an anonymous report stays behind the named one that was sent before it, so that the order and the moments
//! of arrival do not say whose it is.

use rusqlite::Connection;

use super::super::{
    error::OutboxError,
    file::own,
    limits::{LONGEST_SPACING_MS, SHORTEST_SPACING_MS},
};

/// Between which times the next anonymous report waits after a named one was sent. Both 0: it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spacing {
    /// At least so long, in ms.
    pub shortest_ms: i64,
    /// At most so long, in ms.
    pub longest_ms: i64,
}

impl Default for Spacing {
    fn default() -> Self {
        Self { shortest_ms: SHORTEST_SPACING_MS, longest_ms: LONGEST_SPACING_MS }
    }
}

impl Spacing {
    /// No waiting.
    pub const NONE: Self = Self { shortest_ms: 0, longest_ms: 0 };

    /// Until when the next anonymous report waits, `None` if it may go.
    pub(crate) fn wait(self, connection: &Connection, now_ms: i64) -> Result<Option<i64>, OutboxError> {
        let until_ms = own::anonymous_after_ms(connection)?;
        let waits = self.longest_ms > 0 && until_ms > now_ms;
        Ok(waits.then(|| until_ms.min(now_ms.saturating_add(self.longest_ms))))
    }

    /// Whether the wait is longer than it can have been when it began: the clock was set back.
    pub(crate) fn stepped_back(self, connection: &Connection, now_ms: i64) -> Result<bool, OutboxError> {
        let longest_until_ms = now_ms.saturating_add(self.longest_ms);
        Ok(self.longest_ms > 0 && own::anonymous_after_ms(connection)? > longest_until_ms)
    }

    /// Then it is as long as it may be, from now on, and comes to an end.
    pub(crate) fn shorten(self, connection: &Connection, now_ms: i64) -> Result<(), OutboxError> {
        own::set_anonymous_after_ms(connection, now_ms.saturating_add(self.longest_ms))
    }

    /// Whether the wait has to begin anew before a named report is sent, or since the clock was set back.
    pub(crate) fn is_due(self, connection: &Connection, now_ms: i64) -> Result<bool, OutboxError> {
        let left_ms = own::anonymous_after_ms(connection)? - now_ms;
        Ok(self.longest_ms > 0 && !(self.shortest_ms..=self.longest_ms).contains(&left_ms))
    }

    /// Lets the next anonymous report wait from now on.
    pub(crate) fn begin(
        self,
        connection: &Connection,
        rng: &mut fastrand::Rng,
        now_ms: i64,
    ) -> Result<(), OutboxError> {
        if self.longest_ms == 0 {
            return Ok(());
        }
        let spacing_ms = rng.i64(self.shortest_ms.min(self.longest_ms)..=self.longest_ms);
        own::set_anonymous_after_ms(connection, now_ms.saturating_add(spacing_ms))
    }
}
