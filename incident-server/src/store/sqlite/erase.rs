//! Erasure: the row and its history are overwritten where they stand, in one transaction.
//!
//! `secure_delete` writes zeros over what a change leaves behind in a page; what rebuilt pages have left in gaps before goes
//! with `VACUUM`, see `compact.rs`.

use std::sync::LazyLock;

use incident_core::{Column, EventKind, IncidentId, Outcome, Timestamp};
use sqlx::SqliteConnection;

use super::{
    script::{Given, Script},
    write::{WHERE_GIVEN, WRITE_EVENTS, look},
};
use crate::store::{Erased, StoreError, columns, fold};

static ERASE: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    UPDATE incidents
    SET {columns},
        erased_at_ms = erasure.column{erased_at}
    FROM ",
        columns = columns::each("{column} = erasure.column{place}"),
        erased_at = columns::place_of("cancelled_at_ms"),
    )
});

pub(super) async fn erase(
    connection: &mut SqliteConnection,
    ids: &[IncidentId],
    now: Timestamp,
) -> Result<Vec<Erased>, StoreError> {
    let known = look(connection, ids).await?;
    let erased = fold::erase(&known, ids, now);
    let fresh = || erased.iter().filter(|erased| erased.outcome == Outcome::Erased);
    let ids: Vec<Given<'_, 0>> = fresh().map(|one| (one.id, [])).collect();
    let events: Vec<_> = fresh().map(event_row).collect();
    let rows: Vec<_> = fresh().map(|one| (one.id, one.tombstone.columns())).collect();
    // The event comes before the history goes: the last position is never given out again.
    let script = Script::default()
        .for_rows(WRITE_EVENTS, &events, WHERE_GIVEN)
        .for_rows("DELETE FROM history WHERE incident_id IN ", &ids, " AND kind <> 'erased';")
        .for_rows(&ERASE, &rows, " AS erasure WHERE incidents.id = erasure.column1;");
    script.then("COMMIT").execute(connection).await?;
    Ok(erased)
}

fn event_row(erased: &Erased) -> Given<'_, 3> {
    let (kind, at_ms) = (EventKind::Erased.as_str(), erased.tombstone.erased_at.unix_ms());
    (erased.id, [Column::Text(Some(kind)), Column::BigInteger(Some(at_ms)), Column::Text(None)])
}
