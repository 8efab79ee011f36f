//! The history of all incidents in commit order, though servers commit side by side.
//!
//! A position is given out before its commit, so a smaller one may become visible after a larger one. A
//! writer therefore takes a **ticket** before its first position: a shared advisory lock named after the last
//! position that was given out, held until its commit is visible. What is on its way lies above every ticket
//! in use, so a reader looks only up to the smallest one. Writers never wait for each other or for readers.
//!
//! Of one incident the order is the order of its changes: a writer that builds on another's change has seen
//! it committed before it takes its own positions.

use std::sync::LazyLock;

use super::{
    sessions::Sessions,
    statements::{TICKET_CLASS, incident_columns},
};
use crate::store::{
    ChangePage, Horizon, Position, Series, StoreError, from_row::from_row, record::change_page,
};

/// Up to where nothing is on its way any more.
///
/// The subquery depends on `newest`, so the locks are looked at after it was read: a writer that took its
/// ticket in between was given positions above it. A ticket's name is the position's lower 31 bits.
static HORIZON: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT newest, (SELECT series FROM installation) AS series, LEAST(newest, (
        SELECT min(newest - ((newest - pg_locks.objid::bigint) & 2147483647))
        FROM pg_locks
        WHERE pg_locks.locktype = 'advisory'
            AND pg_locks.classid = {TICKET_CLASS}
            AND pg_locks.objsubid = 2
            AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )) AS complete_to
    FROM (SELECT last_value AS newest FROM history_position_seq) AS sequence"
    )
});

pub(super) static CHANGES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT
        history.position,
        history.kind,
        history.at_ms,
        history.cancellation_reason AS event_reason,
        {columns}
    FROM history
    JOIN incidents ON incidents.id = history.incident_id
    WHERE history.position > $1
        AND history.position <= $2
    ORDER BY history.position
    LIMIT $3",
        columns = incident_columns(),
    )
});

from_row! {
    struct HorizonRecord {
        series: i64,
        newest: i64,
        complete_to: i64,
    }
}

pub(super) async fn horizon(sessions: &Sessions) -> Result<Horizon, StoreError> {
    let mut rows: Vec<HorizonRecord> = sessions.records(|| sqlx::query(HORIZON.as_str())).await?;
    let HorizonRecord { series, newest, complete_to } = rows.pop().ok_or(sqlx::Error::RowNotFound)?;
    Ok(Horizon { series: Series(series), complete_to: Position(complete_to), newest: Position(newest) })
}

/// Returns whether something is on its way, too.
///
/// Two statements: what became visible before the horizon was read is in the second one's snapshot.
pub(super) async fn changes(
    sessions: &Sessions,
    after: Position,
    limit: i64,
) -> Result<(ChangePage, bool), StoreError> {
    let Horizon { newest, complete_to, .. } = horizon(sessions).await?;
    let found =
        sessions.run(|| sqlx::query(CHANGES.as_str()).bind(after.0).bind(complete_to.0).bind(limit)).await?;
    Ok((change_page(&found, after), complete_to < newest))
}
