//! What was received too long ago is erased, in steps so small that syncs do not feel them.

use std::{str::FromStr, time::Duration};

use incident_core::{IncidentId, Stored, Timestamp};

use crate::{
    erasure::{By, erase},
    limits::{ERASURE_STEP, RETENTION_REST},
    store::{ListQuery, Store, StoreError, StoredIncident},
};

/// How long incidents are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention(Option<Duration>);

impl Retention {
    /// A duration below this is more likely a slip of the pen than meant.
    const SHORT: Duration = Duration::from_secs(24 * 3600);

    /// For ever, unless erased on demand.
    pub const OFF: Self = Self(None);

    /// Whether it is so short that reports may be gone before anybody has seen them.
    pub(crate) fn is_short(self) -> bool {
        self.0.is_some_and(|age| age < Self::SHORT)
    }

    /// The one who erases by it, if anything is to be erased.
    pub(crate) fn begin(self) -> Option<Eraser> {
        let age_ms = i64::try_from(self.0?.as_millis()).unwrap_or(i64::MAX);
        Some(Eraser { age_ms, part: Part::MadeLongAgo, after: None })
    }
}

impl FromStr for Retention {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::OFF);
        }
        match humantime::parse_duration(text) {
            Ok(age) if age.is_zero() => {
                Err("zero would erase every report at once; for none, say off".into())
            }
            Ok(age) => Ok(Self(Some(age))),
            Err(_) => Err("a time such as 730d (or s, m, h) is expected, or off".into()),
        }
    }
}

/// Looks through the lists for what is too old, again and again: those that were made too long ago, and those that a phone
/// dated in the future. Nothing that is to be kept stands between them, in whatever order and by whatever clock it came.
#[derive(Debug)]
pub(crate) struct Eraser {
    age_ms: i64,
    part: Part,
    /// How far the part was looked through.
    after: Option<IncidentId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    MadeLongAgo,
    MadeInTheFuture,
}

impl Eraser {
    /// How long to rest where nothing more is too old: a short retention is looked after more often.
    pub(crate) fn rest(&self) -> Duration {
        RETENTION_REST.min(Duration::from_millis(self.age_ms.unsigned_abs()))
    }

    /// Looks at the next few incidents and erases those that are too old. Says whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`]; the same step may be repeated.
    pub(crate) async fn step(&mut self, store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
        let Ok(oldest_kept) = Timestamp::from_unix_ms(now.unix_ms().saturating_sub(self.age_ms)) else {
            return Ok(false);
        };
        let page = store.incidents(&self.query(oldest_kept, now)).await?;
        let old = page.incidents.iter().filter(|stored| is_too_old(stored, oldest_kept));
        let ids: Vec<IncidentId> = old.map(|stored| stored.id).collect();
        if !ids.is_empty() {
            erase(store, &ids, now, &By::Retention).await?;
        }
        self.after = page.next;
        if self.after.is_some() {
            return Ok(true);
        }
        self.part = match self.part {
            Part::MadeLongAgo => Part::MadeInTheFuture,
            Part::MadeInTheFuture => Part::MadeLongAgo,
        };
        Ok(self.part == Part::MadeInTheFuture)
    }

    fn query(&self, oldest_kept: Timestamp, now: Timestamp) -> ListQuery {
        let all = ListQuery { after: self.after, limit: ERASURE_STEP, ..ListQuery::default() };
        match self.part {
            Part::MadeLongAgo => ListQuery { created_before: Some(oldest_kept), ..all },
            Part::MadeInTheFuture => ListQuery { created_after: Some(now), ..all },
        }
    }
}

/// Whether an incident of either part was received too long ago. One that was made since then, and not in the future, is in
/// neither: the server's clock was behind when it was received.
fn is_too_old(stored: &StoredIncident, oldest_kept: Timestamp) -> bool {
    matches!(&stored.incident, Stored::Kept(incident) if incident.received_at < oldest_kept)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use incident_core::{IdSecret, IdempotencyKey, Reporter, decode};

    use super::*;
    use crate::store::{SqliteStore, SyncItem};

    #[test]
    fn a_retention_is_a_time_or_off_and_never_zero() {
        assert_eq!("off".parse(), Ok(Retention::OFF));
        assert_eq!("730d".parse(), Ok(Retention(Some(Duration::from_secs(730 * 86400)))));
        for refused in ["", "0", "0s", "0d", "-1d", "730", "d", "1 fortnight"] {
            assert!(refused.parse::<Retention>().is_err(), "{refused}");
        }
        let is_short = |text: &str| text.parse::<Retention>().unwrap().is_short();
        assert!(is_short("23h") && is_short("1s") && !is_short("1d") && !is_short("off"));
    }

    /// What alice reports so many seconds after the first.
    fn item(seconds: i64) -> SyncItem {
        let created_at = at(seconds);
        let reporter = Arc::new(Reporter::parse("alice").unwrap());
        let payload = format!(
            r#"{{"locationId":"w","gpsCoordinates":{{"type":"Point","coordinates":[1,2]}},"isAnonymous":false,"createdAt":"{created_at}"}}"#
        );
        let payload = decode(payload.as_bytes()).unwrap().payload;
        let key = IdempotencyKey::derive(&reporter, created_at);
        let id = IncidentId::derive(&IdSecret::new(&[1; 32]).unwrap(), key.into());
        SyncItem { id, reporter, payload }
    }

    /// A moment, so many seconds after the first report was made.
    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_795_392_000_000 + seconds * 1000).unwrap()
    }

    /// Which of the reports are left that were made so many seconds after the first, once what is older than a minute is erased.
    async fn left(store: &SqliteStore, reports: &[i64], now: Timestamp) -> Vec<i64> {
        let mut eraser = Retention(Some(Duration::from_secs(60))).begin().unwrap();
        while eraser.step(store, now).await.unwrap() {}
        let mut left = Vec::new();
        for seconds in reports {
            let found = store.incident(item(*seconds).id).await.unwrap().unwrap();
            if matches!(found.incident, Stored::Kept(_)) {
                left.push(*seconds);
            }
        }
        left
    }

    /// Reports made and received so many seconds after the first, in this order.
    async fn stored(reports: &[(i64, i64)]) -> (tempfile::NamedTempFile, SqliteStore) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = SqliteStore::open_file(file.path()).await.unwrap();
        for (made, received) in reports {
            store.sync(&[item(*made)], at(*received)).await.unwrap();
        }
        (file, store)
    }

    #[tokio::test]
    async fn what_was_received_later_or_by_a_clock_ahead_holds_up_nothing() {
        let (_file, store) = stored(&[(0, 500), (1, 90), (2, 3), (3, 95), (4, 4)]).await;

        assert_eq!(left(&store, &[0, 1, 2, 3, 4], at(100)).await, [0, 1, 3]);
        assert_eq!(left(&store, &[0, 1, 3], at(600)).await, [0; 0]);
    }

    #[tokio::test]
    async fn what_a_clock_behind_received_long_ago_is_kept_until_it_was_made_long_ago() {
        let (_file, store) = stored(&[(0, -315_360_000)]).await;

        assert_eq!(left(&store, &[0], at(10)).await, [0]);
        assert_eq!(left(&store, &[0], at(61)).await, [0; 0]);
    }

    #[tokio::test]
    async fn what_a_phone_dated_ahead_is_kept_no_longer_than_others() {
        let (_file, store) = stored(&[(100_000, 0)]).await;

        assert_eq!(left(&store, &[100_000], at(59)).await, [100_000]);
        assert_eq!(left(&store, &[100_000], at(61)).await, [0; 0]);
    }
}
