//! What was received too long ago is erased, in steps so small that syncs do not feel them.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use incident_core::{Change, IncidentId, Timestamp};

use crate::{
    erasure::{By, erase},
    limits::{ERASURE_STEP, RETENTION_REST},
    store::{Position, Store, StoreError, StoredChange},
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
        Some(Eraser { age_ms, after: Position::START, ahead: BTreeSet::new() })
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

/// Walks the history from its beginning, once: whatever it has passed is younger than nothing that is to be erased.
#[derive(Debug)]
pub(crate) struct Eraser {
    age_ms: i64,
    after: Position,
    /// What a wrong clock dated in the future, by its moment: it keeps nothing behind it, and has its own time.
    ahead: BTreeSet<(i64, IncidentId)>,
}

impl Eraser {
    /// How long to rest where nothing more is too old: a short retention is looked after more often.
    pub(crate) fn rest(&self) -> Duration {
        RETENTION_REST.min(Duration::from_millis(self.age_ms.unsigned_abs()))
    }

    /// Looks at the next few events and erases what they created, if that is too old. Says whether there may be more.
    ///
    /// # Errors
    /// [`StoreError`]; the same step may be repeated.
    pub(crate) async fn step(&mut self, store: &dyn Store, now: Timestamp) -> Result<bool, StoreError> {
        let limit = i64::try_from(ERASURE_STEP).unwrap_or(i64::MAX);
        let page = store.changes(self.after, limit).await?;
        let (now_ms, oldest_kept_ms) = (now.unix_ms(), now.unix_ms().saturating_sub(self.age_ms));
        let at_ms = |change: &StoredChange| change.event.at.unix_ms();
        let is_passed = |change: &&StoredChange| at_ms(change) < oldest_kept_ms || at_ms(change) > now_ms;
        let passed: Vec<&StoredChange> = page.changes.iter().take_while(is_passed).collect();
        let created = passed.iter().filter(|change| change.event.change == Change::Created);
        let created: Vec<_> = created.map(|change| (at_ms(change), change.incident.id)).collect();
        self.set_aside(created.iter().filter(|(at_ms, _)| *at_ms > now_ms).copied());
        let due = self.ahead.iter().take_while(|(at_ms, _)| *at_ms < oldest_kept_ms).take(ERASURE_STEP);
        let due: Vec<_> = due.copied().collect();
        let old = created.iter().filter(|(at_ms, _)| *at_ms <= now_ms).chain(&due);
        let ids: Vec<IncidentId> = old.map(|(_, id)| *id).collect();
        if !ids.is_empty() {
            erase(store, &ids, now, &By::Retention).await?;
        }
        for erased in &due {
            self.ahead.remove(erased);
        }
        let (before, is_whole_page) = (self.after, passed.len() == page.changes.len());
        self.after =
            if is_whole_page { page.next } else { passed.last().map_or(before, |change| change.position) };
        Ok(is_whole_page && page.next > before || !due.is_empty())
    }

    fn set_aside(&mut self, ahead: impl Iterator<Item = (i64, IncidentId)>) {
        let were_any = !self.ahead.is_empty();
        self.ahead.extend(ahead);
        if !were_any && !self.ahead.is_empty() {
            tracing::warn!(
                "incidents were received at a moment that is still to come, so a clock was wrong: they are kept until \
                 they are too old by it"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use incident_core::{IdSecret, IdempotencyKey, Reporter, Stored, decode};

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

    /// What alice reports as the nth.
    fn item(n: i64) -> SyncItem {
        let created_at = Timestamp::from_unix_ms(1_795_392_000_000 + n).unwrap();
        let reporter = Arc::new(Reporter::parse("alice").unwrap());
        let payload = format!(
            r#"{{"locationId":"w","gpsCoordinates":{{"type":"Point","coordinates":[1,2]}},"isAnonymous":false,"createdAt":"{created_at}"}}"#
        );
        let payload = decode(payload.as_bytes()).unwrap().payload;
        let key = IdempotencyKey::derive(&reporter, created_at);
        let id = IncidentId::derive(&IdSecret::new(&[1; 32]).unwrap(), key.into());
        SyncItem { id, reporter, payload }
    }

    #[tokio::test]
    async fn what_a_wrong_clock_dated_ahead_keeps_nothing_behind_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let store = SqliteStore::open_file(file.path()).await.unwrap();
        let at = |seconds: i64| Timestamp::from_unix_ms(1_795_392_000_000 + seconds * 1000).unwrap();
        for (n, received_at) in [(0, at(0)), (1, at(500)), (2, at(1))] {
            store.sync(&[item(n)], received_at).await.unwrap();
        }
        let mut eraser = Retention(Some(Duration::from_secs(60))).begin().unwrap();
        let is_gone = async |n: i64| {
            let found = store.incident(item(n).id).await.unwrap().unwrap();
            matches!(found.incident, Stored::Erased(_))
        };

        eraser.step(&store, at(100)).await.unwrap();
        assert_eq!([is_gone(0).await, is_gone(1).await, is_gone(2).await], [true, false, true]);

        eraser.step(&store, at(600)).await.unwrap();
        assert!(is_gone(1).await);
    }
}
