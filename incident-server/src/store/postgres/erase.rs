//! Erasure: the row and its history are overwritten in one statement, which names the version that it has seen; see
//! [`write`](super::write) for why.

use std::time::Instant;

use incident_core::{EventKind, IncidentId, Outcome, Timestamp};

use super::{
    given::{GivenIncident, range, uuid},
    sessions::Sessions,
    statements::ERASE,
    write::{BEYOND_DOUBT, Found, MOST_ROUNDS, barrier},
};
use crate::store::{Erased, StoreError, fold, record::StoredRow};

pub(super) async fn erase(
    sessions: &Sessions,
    ids: &[IncidentId],
    now: Timestamp,
) -> Result<Vec<Erased>, StoreError> {
    let (mut rest, mut done) = (ids.to_vec(), Vec::new());
    rest.sort_unstable();
    for _ in 0..MOST_ROUNDS {
        let found = Found::of(sessions, rest.iter().copied().map(uuid).collect()).await?;
        let decided = fold::erase(&found.incidents, &rest, now);
        let erased = overwrite(sessions, &decided, &found).await?;
        let is_done = |one: &Erased| one.outcome == Outcome::Unchanged || erased.contains(&one.id);
        rest = decided.iter().filter(|one| !is_done(one)).map(|one| one.id).collect();
        done.extend(decided.into_iter().filter(is_done));
        if rest.is_empty() {
            return Ok(done);
        }
    }
    Err(StoreError::Unavailable("what is to be erased changes whenever it is written".into()))
}

/// Makes what was decided durable, what was found erased before as well; returns what was erased now.
async fn overwrite(
    sessions: &Sessions,
    decided: &[Erased],
    found: &Found,
) -> Result<Vec<IncidentId>, StoreError> {
    let given = given(decided, found);
    if given.is_empty() {
        barrier(sessions).await?;
        return Ok(Vec::new());
    }
    let ids: Vec<_> = given.iter().map(|given| given.id).collect();
    let (first, last) = range(&ids);
    let (started, kind) = (Instant::now(), EventKind::Erased.as_str());
    let statement = || sqlx::query(ERASE.as_str()).bind(&given).bind(kind).bind(first).bind(last);
    let rows = sessions.run(statement).await?;
    if rows.is_empty() || started.elapsed() > BEYOND_DOUBT {
        barrier(sessions).await?;
    }
    Ok(rows.iter().map(|row| row.id("id")).collect::<Result<_, _>>()?)
}

/// What a statement erases, ordered by id: so servers lock in one order.
fn given(decided: &[Erased], found: &Found) -> Vec<GivenIncident<'static>> {
    let erased = decided.iter().filter(|one| one.outcome == Outcome::Erased);
    let given = erased.map(|one| {
        let seen = found.versions.get(&one.id).copied().unwrap_or(0);
        let (id, version) = (uuid(one.id), seen.saturating_add(1));
        GivenIncident { id, seen, version, columns: one.tombstone.columns() }
    });
    given.collect()
}
