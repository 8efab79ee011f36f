//! A standby that answers lists and single reads, and shows nothing older than the primary would.
//!
//! Whoever asked for the newest position in the changes and then reads the lists must find there what happened before that
//! place; from a standby that is behind it would be missing for good. So every read asks the primary how far its log
//! goes, which costs it next to nothing, and the standby answers once it has come as far. Where that takes long, the
//! primary answers. A standby that is behind, of another database or series, or away is passed over.

use std::{
    pin::pin,
    sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{
    Decode, Postgres, Row, Type,
    postgres::{PgConnectOptions, PgRow},
};
use tokio::time::{sleep, timeout};

use super::{connect::Use, sessions::Sessions};
use crate::store::{StoreError, from_row::from_row, pools::Pool};

/// How often the standby is judged, and how long that may take.
const PAUSE: Duration = Duration::from_secs(1);
const DEADLINE: Duration = Duration::from_secs(2);
/// So long the standby is waited for alone; then the primary is asked, too, and whoever answers first is believed. A list
/// takes a few milliseconds, and nobody notices so many more.
const HEAD_START: Duration = Duration::from_millis(100);
/// A standby that did not answer in that time is passed over for so many judgements.
const REST: u32 = 10;
/// Between two looks at how far it has come.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What is visible there is on its disk, so no further than this.
const REACHED: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS reached";
const HAS: &str = "
    SELECT coalesce(pg_is_in_recovery() AND pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0') >= $1, false) AS has";
const PRIMARY: &str = "
    SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS reached, home, series
    FROM installation";
const STANDBY: &str = "
    SELECT pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint AS reached, home, series
    FROM installation
    WHERE pg_is_in_recovery()";

/// A standby, or none.
pub(super) struct Replica {
    sessions: Option<Sessions>,
    is_fresh: AtomicBool,
    /// Judgements for which it is passed over, fresh or not.
    rest: AtomicU32,
    primary_is_away: AtomicBool,
    /// How far the primary's log went when it was last asked for a judgement.
    known: AtomicI64,
}

from_row! {
    /// How far the log of a server goes, and of which database it is.
    #[derive(Debug, Clone, PartialEq)]
    struct Extent {
        reached: i64,
        home: String,
        series: i64,
    }
}

impl Extent {
    /// Whether this standby has what the primary had then.
    fn has(&self, primary: &Self) -> bool {
        (&self.home, self.series) == (&primary.home, primary.series) && self.reached >= primary.reached
    }
}

impl Replica {
    pub(super) fn new(options: Option<&PgConnectOptions>, places: usize) -> Self {
        Self {
            sessions: options.map(|options| Sessions::new(options, Use::ReadAnywhere, places)),
            is_fresh: AtomicBool::new(false),
            rest: AtomicU32::new(0),
            primary_is_away: AtomicBool::new(false),
            known: AtomicI64::new(i64::MAX),
        }
    }

    /// What the standby answers, or the primary where it does not, or not soon.
    pub(super) async fn read<'s, T, F>(
        &'s self,
        primary: &Sessions,
        query: impl FnOnce(&'s Sessions) -> F,
        from_primary: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let Some(standby) = self.readable() else { return from_primary.await };
        let from_standby = Box::pin(async {
            let reached = self.reached(primary).await.ok()?; // not the standby's fault
            let all = async {
                until_it_has(standby, reached).await?;
                query(standby).await
            };
            self.answer(all).await
        });
        let (found, was_silent) = race(HEAD_START, from_standby, from_primary).await;
        if was_silent && found.is_ok() {
            self.pass_over();
        }
        found
    }

    async fn answer<T>(&self, query: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        match query.await {
            Ok(found) => Some(found),
            Err(StoreError::Row(_)) => None, // the primary says so, too
            Err(_) => {
                self.pass_over();
                None
            }
        }
    }

    /// How far the primary's log goes, or went before it was away.
    async fn reached(&self, primary: &Sessions) -> Result<i64, StoreError> {
        if self.primary_is_away.load(Ordering::Relaxed) {
            return Ok(self.known.load(Ordering::Relaxed));
        }
        one(&primary.run(|| sqlx::query(REACHED)).await?)
    }

    fn readable(&self) -> Option<&Sessions> {
        let is_readable = self.is_fresh.load(Ordering::Relaxed) && self.rest.load(Ordering::Relaxed) == 0;
        self.sessions.as_ref().filter(|_| is_readable)
    }

    fn pass_over(&self) {
        self.rest.store(REST, Ordering::Relaxed);
    }

    fn set_fresh(&self, is_fresh: bool) {
        match (self.is_fresh.swap(is_fresh, Ordering::Relaxed), is_fresh) {
            (true, false) => tracing::warn!("the standby is away or far behind; the primary answers for it"),
            (false, true) => tracing::info!("lists and single incidents are read from the standby"),
            _ => {}
        }
    }

    /// Judges the standby for as long as somebody waits: it must have what the primary had the time before.
    pub(super) async fn watch(&self, primary: &Sessions) {
        let Some(standby) = &self.sessions else { return };
        let mut before: Option<Extent> = None;
        loop {
            let (here, there) = tokio::join!(extent(primary, PRIMARY), extent(standby, STANDBY));
            let has = |before: &Extent| there.as_ref().is_some_and(|there| there.has(before));
            self.set_fresh(before.as_ref().is_some_and(has));
            self.primary_is_away.store(here.is_none(), Ordering::Relaxed);
            if let Some(here) = here {
                self.known.store(here.reached, Ordering::Relaxed);
                before = Some(here);
            }
            let _ = self.rest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |rest| rest.checked_sub(1));
            sleep(PAUSE).await;
        }
    }

    pub(super) fn pool(&self) -> Option<Pool> {
        self.sessions.as_ref().map(|sessions| sessions.pool("standby"))
    }

    pub(super) async fn close(&self) {
        if let Some(sessions) = &self.sessions {
            sessions.close().await;
        }
    }
}

async fn until_it_has(standby: &Sessions, reached: i64) -> Result<(), StoreError> {
    while !one::<bool>(&standby.run(|| sqlx::query(HAS).bind(reached)).await?)? {
        sleep(LOOK_AGAIN_AFTER).await;
    }
    Ok(())
}

fn one<'r, T: Decode<'r, Postgres> + Type<Postgres>>(rows: &'r [PgRow]) -> Result<T, StoreError> {
    Ok(rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?)
}

async fn extent(sessions: &Sessions, statement: &'static str) -> Option<Extent> {
    let asked = timeout(DEADLINE, sessions.records(|| sqlx::query(statement))).await;
    asked.ok()?.ok()?.pop()
}

/// The first answer, and whether the standby, which begins earlier by the head start, has given none.
async fn race<T, E>(
    head_start: Duration,
    standby: impl Future<Output = Option<T>>,
    primary: impl Future<Output = Result<T, E>>,
) -> (Result<T, E>, bool) {
    let mut standby = pin!(standby);
    match timeout(head_start, &mut standby).await {
        Ok(Some(found)) => (Ok(found), false),
        Ok(None) => (primary.await, false),
        Err(_) => tokio::select! {
            biased;
            Some(found) = standby => (Ok(found), false),
            answered = primary => (answered, true),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn the_primary_is_asked_where_the_standby_has_no_answer_or_is_silent_and_not_otherwise() {
        let never = async || -> Result<i32, ()> { panic!("it is asked") };
        let (soon, primary) = (Duration::from_secs(60), || ready(Ok::<_, ()>(2)));

        assert_eq!(race(soon, ready(Some(1)), never()).await, (Ok(1), false));
        assert_eq!(race(soon, ready(None), primary()).await, (Ok(2), false));
        assert_eq!(race(Duration::ZERO, pending(), primary()).await, (Ok(2), true));
        assert_eq!(race(Duration::ZERO, pending(), ready(Err::<i32, _>(()))).await, (Err(()), true));
    }

    #[test]
    fn a_standby_has_what_the_same_database_had_and_nothing_of_another() {
        let at = |reached| Extent { reached, home: "1/2".to_owned(), series: 7 };
        assert!(at(5).has(&at(5)) && at(6).has(&at(5)) && !at(4).has(&at(5)));
        assert!(!Extent { series: 8, ..at(6) }.has(&at(5)));
        assert!(!Extent { home: "3/2".to_owned(), ..at(6) }.has(&at(5)));
    }
}
