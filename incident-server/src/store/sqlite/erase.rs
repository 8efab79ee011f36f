//! Erasure: the row and its history are overwritten where they stand, in one transaction.
//!
//! `secure_delete` writes zeros over what a change leaves behind in a page; what rebuilt pages have left in gaps before goes
//! with `VACUUM`, see `compact.rs`.

use std::sync::LazyLock;

use incident_core::{IncidentId, Outcome, Timestamp};
use sqlx::SqliteConnection;

use super::write::{json, look};
use crate::store::{
    Erased, StoreError,
    columns::{self, JsonRow},
    fold,
};

/// The event comes before the history goes: the last position is never given out again.
static ERASE_AND_COMMIT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    INSERT INTO history (incident_id, kind, at_ms)
    SELECT unhex(value ->> 0, '-'), 'erased', value ->> {erased_at}
    FROM json_each(?1)
    WHERE true
    ORDER BY key;

    DELETE FROM history
    WHERE incident_id IN (SELECT unhex(value ->> 0, '-') FROM json_each(?1))
        AND kind <> 'erased';

    UPDATE incidents
    SET {columns},
        erased_at_ms = erasure.value ->> {erased_at}
    FROM json_each(?1) AS erasure
    WHERE incidents.id = unhex(erasure.value ->> 0, '-');

    COMMIT",
        columns = columns::each("{column} = erasure.value ->> {index}"),
        erased_at = columns::index_of("cancelled_at_ms"),
    )
});

pub(super) async fn erase(
    connection: &mut SqliteConnection,
    ids: &[IncidentId],
    now: Timestamp,
) -> Result<Vec<Erased>, StoreError> {
    let known = look(connection, ids.to_vec()).await?;
    let erased = fold::erase(&known, ids, now);
    let fresh = erased.iter().filter(|erased| erased.outcome == Outcome::Erased);
    let rows: Vec<_> = fresh.map(|one| JsonRow { id: one.id, columns: one.tombstone.columns() }).collect();
    if rows.is_empty() {
        sqlx::query("COMMIT").execute(connection).await?;
    } else {
        sqlx::query(ERASE_AND_COMMIT.as_str()).bind(json(&rows)).execute(connection).await?;
    }
    Ok(erased)
}
