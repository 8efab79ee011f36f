//! The lists by reporter and of open ones at a location: how their entries are written after the incidents themselves.

use std::sync::LazyLock;

use incident_core::IncidentId;
use sqlx::SqliteConnection;

use super::{
    script::Script,
    unlisted::{Portion, Unlisted},
};
use crate::store::{Position, StoreError};

/// With each new incident an entry of each list is written, and with each commit these: so a turn ends before the next is
/// due, and a commit writes no more pages than if it listed its own.
const AT_LEAST: usize = 8;
/// Positions in one transaction where nothing else happens: were each entry in a page of its own, the log would take 40 MB.
const TOGETHER: i64 = 5_000;
/// From here on it takes so long that somebody may wonder.
const MANY: i64 = 100_000;

/// The entries of some incidents, as these are now. Behind it stands which.
const BY_REPORTER: &str = "
    INSERT OR IGNORE INTO list_by_reporter (reporter, id, location_id, cancelled_at_ms)
    SELECT reporter, id, location_id, cancelled_at_ms
    FROM incidents
    WHERE reporter IS NOT NULL AND id IN ";
const BY_LOCATION: &str = "
    INSERT OR IGNORE INTO list_of_open_by_location (location_id, id)
    SELECT location_id, id
    FROM incidents
    WHERE cancelled_at_ms IS NULL AND id IN ";
const IN_THEIR_ORDER: &str = " ORDER BY reporter, id;";
const IN_ITS_ORDER: &str = " ORDER BY location_id, id;";

/// Writes a portion, within a transaction.
pub(super) fn write_portion(script: Script, portion: &Portion) -> Script {
    let rows = |ids: &[IncidentId]| ids.iter().map(|id| (*id, [])).collect::<Vec<_>>();
    let script = script.for_rows(BY_REPORTER, &rows(&portion.by_reporter), IN_THEIR_ORDER).for_rows(
        BY_LOCATION,
        &rows(&portion.by_location),
        IN_ITS_ORDER,
    );
    match portion.listed_to {
        Some(Position(to)) => script.then("UPDATE installation SET listed_to = max(listed_to, ?);").with(to),
        None => script,
    }
}

const LIMITS: &str = "SELECT listed_to, (SELECT coalesce(max(position), 0) FROM history) FROM installation";

static WRITE_BETWEEN: LazyLock<String> = LazyLock::new(|| {
    let new = "(SELECT incident_id FROM history WHERE kind = 'created' AND position > ? AND position <= ?)";
    format!(
        "BEGIN IMMEDIATE; {BY_REPORTER}{new}{IN_THEIR_ORDER} {BY_LOCATION}{new}{IN_ITS_ORDER}
        UPDATE installation SET listed_to = ?; COMMIT"
    )
});

/// What to list within the transaction that is open, with so many new incidents.
pub(super) async fn next_portion(
    connection: &mut SqliteConnection,
    unlisted: &Unlisted,
    created: usize,
) -> Result<Option<Portion>, StoreError> {
    if unlisted.is_due() {
        let newest = "SELECT coalesce(max(position), 0) FROM history";
        unlisted.begin_turn(Position(sqlx::query_scalar(newest).fetch_one(connection).await?));
    }
    Ok(unlisted.portion(created + AT_LEAST))
}

/// Lists everything that is stored: before the first request, after a crash, and when the file is closed.
pub(super) async fn list_all(writer: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (listed_to, newest): (i64, i64) = sqlx::query_as(LIMITS).fetch_one(&mut *writer).await?;
    if newest - listed_to > MANY {
        tracing::info!(changes = newest - listed_to, "lists are brought up to date");
    }
    while list_more(writer).await? {}
    Ok(())
}

/// Lists some of what is stored and not listed, in a transaction of its own, and says whether there was anything.
pub(super) async fn list_more(writer: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let (listed_to, newest): (i64, i64) = sqlx::query_as(LIMITS).fetch_one(&mut *writer).await?;
    if listed_to >= newest {
        return Ok(false);
    }
    let end = newest.min(listed_to + TOGETHER);
    let write = sqlx::query(WRITE_BETWEEN.as_str()).bind(listed_to).bind(end).bind(listed_to).bind(end);
    write.bind(end).execute(writer).await?;
    Ok(true)
}

#[cfg(test)]
mod tests;
