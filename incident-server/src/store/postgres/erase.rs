//! Erasure: the row and its history are overwritten in one statement, which names the version that it has seen; see
//! [`write`](super::write) for why.

use std::time::Instant;

use incident_core::{EventKind, IncidentId, Outcome, Timestamp};
use uuid::Uuid;

use super::{
    given::{range, uuid},
    sessions::Sessions,
    statements::ERASE,
    write::{BEYOND_DOUBT, Found, MOST_ROUNDS, barrier},
};
use crate::store::{Erased, StoreError, fold, record::StoredRow};

/// What a statement erases, an array a column, ordered by id: so servers lock in one order.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    seen: Vec<i16>,
    versions: Vec<i16>,
    created_at_ms: Vec<i64>,
    erased_at_ms: Vec<i64>,
}

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
    let columns = Columns::new(decided, found);
    if columns.ids.is_empty() {
        barrier(sessions).await?;
        return Ok(Vec::new());
    }
    let (started, kind) = (Instant::now(), EventKind::Erased.as_str());
    let (first, last) = range(&columns.ids);
    let statement = || {
        sqlx::query(ERASE)
            .bind(&columns.ids)
            .bind(&columns.seen)
            .bind(&columns.versions)
            .bind(&columns.created_at_ms)
            .bind(&columns.erased_at_ms)
            .bind(kind)
            .bind(first)
            .bind(last)
    };
    let rows = sessions.run(statement).await?;
    if rows.is_empty() || started.elapsed() > BEYOND_DOUBT {
        barrier(sessions).await?;
    }
    Ok(rows.iter().map(|row| row.id("id")).collect::<Result<_, _>>()?)
}

impl Columns {
    fn new(decided: &[Erased], found: &Found) -> Self {
        let mut columns = Self::default();
        for one in decided.iter().filter(|one| one.outcome == Outcome::Erased) {
            let seen = found.versions.get(&one.id).copied().unwrap_or(0);
            columns.ids.push(uuid(one.id));
            columns.seen.push(seen);
            columns.versions.push(seen.saturating_add(1));
            columns.created_at_ms.push(one.tombstone.created_at.unix_ms());
            columns.erased_at_ms.push(one.tombstone.erased_at.unix_ms());
        }
        columns
    }
}
