//! Erasure: the row and its history are overwritten where they stand, in one transaction.
//!
//! `secure_delete` writes zeros over what a change leaves behind in a page; what rebuilt pages have left in gaps before goes
//! with `VACUUM`, see `compact.rs`.

use incident_core::{IncidentId, Outcome, Timestamp, Tombstone};
use sqlx::SqliteConnection;

use super::write::{hex, json, look};
use crate::store::{Erased, StoreError, fold};

/// The event comes before the history goes: the last position is never given out again.
const ERASE_AND_COMMIT: &str = "
    INSERT INTO history (incident_id, kind, at_ms)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2
    FROM json_each(?1)
    WHERE true
    ORDER BY key;

    DELETE FROM history
    WHERE incident_id IN (SELECT unhex(value ->> 0) FROM json_each(?1))
        AND kind <> 'erased';

    UPDATE incidents
    SET reporter = NULL,
        location_id = '',
        room_number = NULL,
        longitude_e7 = 0,
        latitude_e7 = 0,
        is_anonymous = 0,
        created_at_ms = erasure.value ->> 3,
        received_at_ms = 0,
        clock_suspect = 0,
        cancelled_at_ms = erasure.value ->> 2,
        cancellation_reason = '',
        erased_at_ms = erasure.value ->> 2
    FROM json_each(?1) AS erasure
    WHERE incidents.id = unhex(erasure.value ->> 0);

    COMMIT";

pub(super) async fn erase(
    connection: &mut SqliteConnection,
    ids: &[IncidentId],
    now: Timestamp,
) -> Result<Vec<Erased>, StoreError> {
    let known = look(connection, ids.to_vec()).await?;
    let erased = fold::erase(&known, ids, now);
    let fresh = erased.iter().filter(|erased| erased.outcome == Outcome::Erased);
    let rows: Vec<_> = fresh.map(|Erased { id, tombstone, .. }| row(*id, tombstone)).collect();
    if rows.is_empty() {
        sqlx::query("COMMIT").execute(connection).await?;
    } else {
        sqlx::query(ERASE_AND_COMMIT).bind(json(&rows)).execute(connection).await?;
    }
    Ok(erased)
}

fn row(id: IncidentId, tombstone: &Tombstone) -> (String, &'static str, i64, i64) {
    let Tombstone { created_at, erased_at } = tombstone;
    (hex(id), tombstone.event().change.kind().as_str(), erased_at.unix_ms(), created_at.unix_ms())
}
