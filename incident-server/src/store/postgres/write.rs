//! The one statement that writes.
//!
//! It commits by itself, in one round trip, and is built on two facts of the core: an incident only ever
//! grows, and each step adds one row to its history. So a writer decides on what it has seen, names the
//! version it has seen, and the database compares while it holds the row:
//!
//! - nothing seen: `INSERT … ON CONFLICT DO NOTHING`, which waits for whoever is inserting the same id;
//! - version *n* seen: `UPDATE … WHERE version = n`, which waits for whoever is changing the row.
//!
//! What another writer did first is **missed**: nothing is written for it, the statement returns what is
//! stored instead, and the core decides again. Every miss is a step of that incident by somebody else, and
//! it can take 18 at most, so this ends.
//!
//! A payload that changes nothing is decided on what was read, for facts and first reasons never change; but
//! it is only answered behind a commit with a record of its own in the log. The log is one sequence, so once
//! that commit is on disk and on the synchronous standby, what was read before is there too.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use incident_core::{Incident, IncidentId, Timestamp};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    columns::{Columns, uuid, version},
    sessions::Sessions,
    statements::{BARRIER, LOOK, WRITE},
};
use crate::store::{
    StoreError, SyncItem, Verdict,
    fold::{Folded, fold, ids},
    record::IncidentRecord,
};

/// A cancelled wait for the standby is reported as a commit with a warning that the driver does not show.
/// Nobody cancels what took less time than this; what took more is proved by another commit.
const BEYOND_DOUBT: Duration = Duration::from_secs(1);

/// What is stored of some ids; `None` where another writer's insert is not visible yet.
type Found = HashMap<IncidentId, Option<Incident>>;

pub(super) async fn sync(
    sessions: &Sessions,
    batch: &[SyncItem],
    now: Timestamp,
) -> Result<Vec<Verdict>, StoreError> {
    let mut verdicts: Vec<Option<Verdict>> = batch.iter().map(|_| None).collect();
    let mut rest: Vec<(usize, &SyncItem)> = batch.iter().enumerate().collect();
    let mut durable = false;
    let mut found = look(sessions, batch).await?;
    while !rest.is_empty() {
        let known: HashMap<_, _> = found.into_iter().filter_map(|(id, known)| Some((id, known?))).collect();
        let seen = known.iter().map(|(id, incident)| (*id, version(incident))).collect();
        let folded = fold(known, rest.iter().map(|(_, item)| *item), now);
        found = settle(sessions, &folded, &seen, durable).await?;
        durable = true;
        for ((place, item), verdict) in rest.iter().zip(folded.verdicts) {
            if !found.contains_key(&item.id) {
                verdicts[*place] = Some(verdict);
            }
        }
        rest.retain(|(_, item)| found.contains_key(&item.id));
    }
    Ok(verdicts.into_iter().flatten().collect())
}

/// Makes what was decided durable and returns what was missed.
async fn settle(
    sessions: &Sessions,
    folded: &Folded,
    seen: &HashMap<IncidentId, i16>,
    durable: bool,
) -> Result<Found, StoreError> {
    if folded.changed.is_empty() {
        if !durable {
            barrier(sessions).await?;
        }
        return Ok(Found::new());
    }
    let columns = Columns::new(folded, seen);
    let started = Instant::now();
    let rows = sessions.run(|| columns.bind(sqlx::query(WRITE))).await?;
    if started.elapsed() > BEYOND_DOUBT {
        barrier(sessions).await?;
    }
    rows.iter().map(missed).collect()
}

/// Commits a record that changes nothing; all that was committed before is as durable then.
pub(super) async fn barrier(sessions: &Sessions) -> Result<(), StoreError> {
    loop {
        let started = Instant::now();
        sessions.run(|| sqlx::query(BARRIER)).await?;
        if started.elapsed() <= BEYOND_DOUBT {
            return Ok(());
        }
    }
}

/// Creations are tried without a look: nearly all are new. A cancellation's incident is mostly there.
async fn look(sessions: &Sessions, batch: &[SyncItem]) -> Result<Found, StoreError> {
    if batch.iter().all(|item| item.payload.cancellation_reason.is_none()) {
        return Ok(Found::new());
    }
    let ids: Vec<Uuid> = ids(batch).into_iter().map(uuid).collect();
    let rows = sessions.run(|| sqlx::query(LOOK).bind(&ids)).await?;
    rows.iter().map(|row| stored(row).map(|(id, incident)| (id, Some(incident)))).collect()
}

fn missed(row: &PgRow) -> Result<(IncidentId, Option<Incident>), StoreError> {
    let id: Uuid = row.try_get("missed")?;
    let unseen = row.try_get::<Option<&[u8]>, _>("id")?.is_none();
    let incident = if unseen { None } else { Some(stored(row)?.1) };
    Ok((IncidentId::from_bytes(*id.as_bytes()), incident))
}

fn stored(row: &PgRow) -> Result<(IncidentId, Incident), StoreError> {
    let record: IncidentRecord = sqlx::FromRow::from_row(row)?;
    let restated: Vec<String> = row.try_get("restated")?;
    Ok((record.id()?, record.incident(&restated)?))
}
