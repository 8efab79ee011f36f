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
//! stored instead, and the core decides again. A step of that incident by somebody else is missed twice
//! at most, and it can take 19, so this ends; and where a hand in the database makes it go on, after as many rounds.
//!
//! The version counts the rows of an incident's history, but it is read and never counted anew: rows that were
//! deleted by hand change nothing for a writer.
//!
//! A payload that changes nothing is decided on what was read, for facts and first reasons never change; but
//! it is only answered behind a commit with a record of its own in the log. The log is one sequence, so once
//! that commit is on disk and on the synchronous standby, what was read before is there too.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use incident_core::{IncidentId, MAX_RESTATED_REASONS, Timestamp};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    given::{Given, range, uuid},
    sessions::Sessions,
    statements::{BARRIER, LOOK, WRITE},
};
use crate::store::{
    ItemError, StoreError, SyncItem, Verdict,
    fold::{Folded, Known, fold, ids},
    record::{StoredRow, incident},
};

/// A cancelled wait for the standby is reported as a commit with a warning that the driver does not show.
/// Nobody cancels what took less time than this; what took more is proved by another commit.
pub(super) const BEYOND_DOUBT: Duration = Duration::from_secs(1);

/// Whoever waits for the proof has been answered by then.
const MOST_PROOFS: usize = 5;

/// An incident can take so many steps: it is created, cancelled, restated 16 times, and erased. Each may be missed twice: by
/// a statement that waited for it and saw what was there before, and by the next.
pub(super) const MOST_ROUNDS: usize = 2 * (3 + MAX_RESTATED_REASONS) + 1;

/// What is stored of some ids, with the version it has.
#[derive(Default)]
pub(super) struct Found {
    pub(super) incidents: Known,
    pub(super) versions: HashMap<IncidentId, i16>,
    /// What another writer was faster with, whether its row is visible yet or not.
    missed: HashSet<IncidentId>,
}

pub(super) async fn sync(
    sessions: &Sessions,
    batch: &[SyncItem],
    now: Timestamp,
) -> Result<Vec<Verdict>, StoreError> {
    let mut verdicts: Vec<Verdict> = batch.iter().map(|_| Err(ItemError::NeverStill)).collect();
    let mut rest: Vec<(usize, &SyncItem)> = batch.iter().enumerate().collect();
    let mut found = look(sessions, batch).await?;
    for round in 0..MOST_ROUNDS {
        let folded = fold(found.incidents, rest.iter().map(|(_, item)| *item), now);
        found = write(sessions, &folded, &found.versions, round > 0).await?;
        for ((index, item), verdict) in rest.iter().zip(folded.verdicts) {
            if !found.missed.contains(&item.id) {
                verdicts[*index] = verdict;
            }
        }
        rest.retain(|(_, item)| found.missed.contains(&item.id));
        if rest.is_empty() {
            break;
        }
    }
    Ok(verdicts)
}

/// Makes what was decided durable and returns what was missed.
async fn write(
    sessions: &Sessions,
    folded: &Folded,
    seen: &HashMap<IncidentId, i16>,
    durable: bool,
) -> Result<Found, StoreError> {
    if folded.changed.is_empty() {
        if !durable {
            barrier(sessions).await?;
        }
        return Ok(Found::default());
    }
    let given = Given::new(folded, seen);
    let started = Instant::now();
    let rows = sessions.run(|| given.bind(sqlx::query(WRITE.as_str()))).await?;
    if started.elapsed() > BEYOND_DOUBT {
        barrier(sessions).await?;
    }
    missed(&rows)
}

/// Commits a record that changes nothing; all that was committed before is as durable then.
pub(super) async fn barrier(sessions: &Sessions) -> Result<(), StoreError> {
    for _ in 0..MOST_PROOFS {
        let started = Instant::now();
        sessions.run(|| sqlx::query(BARRIER)).await?;
        if started.elapsed() <= BEYOND_DOUBT {
            return Ok(());
        }
    }
    Err(StoreError::Unavailable("every commit takes longer than a second".into()))
}

/// Creations are tried without a look: nearly all are new. A cancellation's incident is mostly there.
async fn look(sessions: &Sessions, batch: &[SyncItem]) -> Result<Found, StoreError> {
    let mut found = Found::default();
    if batch.iter().any(|item| item.payload.cancellation_reason.is_some()) {
        found = Found::of(sessions, ids(batch).into_iter().map(uuid).collect()).await?;
    }
    Ok(found)
}

fn missed(rows: &[PgRow]) -> Result<Found, StoreError> {
    let mut found = Found::default();
    for row in rows {
        let id: Uuid = row.try_get("missed")?;
        found.missed.insert(IncidentId::from_bytes(*id.as_bytes()));
        if row.try_get::<Option<&[u8]>, _>("id")?.is_some() {
            found.add(row)?;
        }
    }
    Ok(found)
}

impl Found {
    /// What is stored of these ids, which are in order.
    pub(super) async fn of(sessions: &Sessions, ids: Vec<Uuid>) -> Result<Self, StoreError> {
        let (first, last) = range(&ids);
        let mut found = Self::default();
        for row in sessions.run(|| sqlx::query(LOOK.as_str()).bind(&ids).bind(first).bind(last)).await? {
            found.add(&row)?;
        }
        Ok(found)
    }

    fn add(&mut self, row: &PgRow) -> Result<(), StoreError> {
        let id = row.id("id")?;
        self.versions.insert(id, row.try_get("version")?);
        self.incidents.insert(id, incident(row, id, row.try_get("restated")?));
        Ok(())
    }
}
