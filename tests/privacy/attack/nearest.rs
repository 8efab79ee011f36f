//! The named incident that is nearest, in one way or another: its reporter is the guess.

use std::collections::HashMap;

use super::{Guesses, each};
use crate::evidence::{Evidence, Incident};

/// The one that came nearest in time.
pub(crate) fn in_time(evidence: &Evidence, moments: &[i64]) -> Guesses {
    let named: Vec<usize> = named(evidence);
    each(evidence, |number| {
        let at = moments[number];
        let next = named.partition_point(|other| moments[*other] < at);
        let near = named[next.saturating_sub(8)..named.len().min(next + 8)].iter();
        reporter(evidence, near.min_by_key(|other| moments[**other].abs_diff(at)))
    })
}

/// The last one that came before it.
pub(crate) fn before(evidence: &Evidence) -> Guesses {
    let named = named(evidence);
    each(evidence, |number| {
        let next = named.partition_point(|other| *other < number);
        reporter(evidence, next.checked_sub(1).map(|before| &named[before]))
    })
}

/// The first one that came after it.
pub(crate) fn after(evidence: &Evidence) -> Guesses {
    let named = named(evidence);
    each(evidence, |number| reporter(evidence, named.get(named.partition_point(|other| *other < number))))
}

/// The one that happened nearest in time.
pub(crate) fn in_creation(evidence: &Evidence) -> Guesses {
    least(evidence, |one, other| one.created_ms.abs_diff(other.created_ms))
}

/// The one that happened nearest on earth.
pub(crate) fn in_space(evidence: &Evidence) -> Guesses {
    least(evidence, |one, other| {
        let [x, y] =
            [one.longitude.abs_diff(other.longitude), one.latitude.abs_diff(other.latitude)].map(u64::from);
        x * x + y * y
    })
}

/// Whoever reports from this place most.
pub(crate) fn by_place(evidence: &Evidence) -> Guesses {
    let mut counts: HashMap<&str, HashMap<usize, usize>> = HashMap::new();
    for (reporter, incident) in evidence.named() {
        *counts.entry(&incident.location).or_default().entry(reporter).or_default() += 1;
    }
    each(evidence, |number| {
        let here = counts.get(evidence.incidents[number].location.as_str())?;
        here.iter().max_by_key(|(reporter, count)| (**count, **reporter)).map(|(reporter, _)| *reporter)
    })
}

fn named(evidence: &Evidence) -> Vec<usize> {
    let all = evidence.incidents.iter().enumerate();
    all.filter(|(_, incident)| incident.reporter.is_some()).map(|(number, _)| number).collect()
}

fn reporter(evidence: &Evidence, named: Option<&usize>) -> Option<usize> {
    evidence.incidents[*named?].reporter
}

fn least(evidence: &Evidence, distance: impl Fn(&Incident, &Incident) -> u64) -> Guesses {
    each(evidence, |number| {
        let incident = &evidence.incidents[number];
        evidence.named().min_by_key(|(_, other)| distance(incident, other)).map(|(reporter, _)| reporter)
    })
}
