//! What was received too long ago is erased, in steps so small that syncs do not feel them.

use std::{str::FromStr, time::Duration};

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
        Some(Eraser { age_ms, after: Position::START })
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
        let oldest_kept_ms = now.unix_ms().saturating_sub(self.age_ms);
        let old = page.changes.iter().take_while(|change| change.event.at.unix_ms() < oldest_kept_ms);
        let old: Vec<&StoredChange> = old.collect();
        let ids: Vec<IncidentId> = old
            .iter()
            .filter(|change| change.event.change == Change::Created)
            .map(|one| one.incident.id)
            .collect();
        if !ids.is_empty() {
            erase(store, &ids, now, &By::Retention).await?;
        }
        let (before, is_whole_page) = (self.after, old.len() == page.changes.len());
        self.after =
            if is_whole_page { page.next } else { old.last().map_or(before, |change| change.position) };
        Ok(is_whole_page && page.next > before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
