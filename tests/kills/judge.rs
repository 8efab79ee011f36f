//! What must be after any number of kills: nothing lost, nothing doubled, nothing skipped.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{Failure, feed::Change, ledger::Acknowledged};

/// A number of what was written down; 0 where there is none yet.
pub(crate) fn count(run: &Value, name: &str) -> u64 {
    run[name].as_u64().unwrap_or(0)
}

/// What came of a round of kills, or of all rounds so far.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) kills: u64,
    pub(crate) reports: u64,
    pub(crate) cancellations: u64,
    pub(crate) changes: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) skipped: u64,
    pub(crate) longest_silence_ms: u64,
    pub(crate) seconds: u64,
}

/// Kinds of changes by location, and the incidents there.
#[derive(Default)]
struct Place<'a> {
    kinds: Vec<&'a str>,
    ids: BTreeSet<&'a str>,
}

impl Place<'_> {
    fn has_all(&self, is_cancelled: bool) -> bool {
        self.kinds.contains(&"created") && (!is_cancelled || self.kinds.contains(&"cancelled"))
    }

    fn is_doubled(&self) -> bool {
        self.ids.len() > 1 || self.kinds.iter().collect::<BTreeSet<_>>().len() < self.kinds.len()
    }
}

fn places(changes: &[Change]) -> BTreeMap<&str, Place<'_>> {
    let mut places = BTreeMap::<&str, Place<'_>>::new();
    for change in changes {
        let place = places.entry(&change.incident.location_id).or_default();
        place.kinds.push(&change.kind);
        place.ids.insert(&change.incident.id);
    }
    places
}

/// How much was acknowledged and is not in the changes.
pub(crate) fn lost(acknowledged: &Acknowledged, changes: &[Change]) -> u64 {
    let places = places(changes);
    let is_there = |(location, is_cancelled): (&String, &bool)| {
        places.get(location.as_str()).is_some_and(|place| place.has_all(*is_cancelled))
    };
    as_u64(acknowledged.iter().filter(|one| !is_there(*one)).count())
}

/// Holds what was acknowledged against the changes from the beginning, and these against what a reader followed, who may
/// have seen some more by now.
pub(crate) fn judge(acknowledged: &Acknowledged, changes: &[Change], followed: &[Change]) -> Outcome {
    let others = changes.iter().zip(followed).filter(|(one, other)| one != other).count();
    Outcome {
        reports: as_u64(acknowledged.len()),
        cancellations: as_u64(acknowledged.values().filter(|is_cancelled| **is_cancelled).count()),
        changes: as_u64(changes.len()),
        lost: lost(acknowledged, changes),
        doubled: as_u64(places(changes).values().filter(|place| place.is_doubled()).count()),
        skipped: as_u64(others + changes.len().saturating_sub(followed.len())),
        ..Outcome::default()
    }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Outcome {
    pub(crate) fn of(self, kills: usize, silence: Duration, took: Duration) -> Self {
        let longest_silence_ms = u64::try_from(silence.as_millis()).unwrap_or(u64::MAX);
        Self { kills: as_u64(kills), longest_silence_ms, seconds: took.as_secs().max(1), ..self }
    }

    /// What was written down before, with this.
    pub(crate) fn added_to(&self, before: &Value) -> Value {
        let sum = |name: &str, more: u64| count(before, name) + more;
        json!({
            "kills": sum("kills", self.kills),
            "reports": sum("reports", self.reports),
            "cancellations": sum("cancellations", self.cancellations),
            "changes": sum("changes", self.changes),
            "lost": sum("lost", self.lost),
            "doubled": sum("doubled", self.doubled),
            "skipped": sum("skipped", self.skipped),
            "longestSilenceMs": count(before, "longestSilenceMs").max(self.longest_silence_ms),
            "seconds": sum("seconds", self.seconds),
        })
    }

    /// # Errors
    /// A promise is broken, or nothing was tried.
    pub(crate) fn verdict(&self) -> Result<(), Failure> {
        let is_kept = (self.lost, self.doubled, self.skipped) == (0, 0, 0) && self.reports > 0;
        if is_kept { Ok(()) } else { Err("the promise is broken".into()) }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kills, reports, cancellations, changes, lost, doubled, skipped, .. } = self;
        let Self { longest_silence_ms, seconds, .. } = self;
        write!(
            f,
            "{kills} kills in {seconds} s: {reports} reports acknowledged, {cancellations} of them called off, {changes} \
             changes; {lost} lost, {doubled} doubled, {skipped} skipped; longest silence {longest_silence_ms} ms"
        )
    }
}
