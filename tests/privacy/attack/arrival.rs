//! When each anonymous incident arrived, as exactly as the evidence tells.

use crate::{evidence::Evidence, world::MINUTE_MS};

/// What is asked for the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// The database alone: the minute, and between which named ones.
    Database,
    /// And the metrics, scraped every 15 s.
    Metrics,
    /// And a log at its most talkative.
    Log,
}

impl Source {
    pub(crate) const ALL: [Self; 3] = [Self::Database, Self::Metrics, Self::Log];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Metrics => "database and metrics",
            Self::Log => "database, metrics and log at trace",
        }
    }
}

/// The moment of every incident, in ms.
pub(crate) fn moments(evidence: &Evidence, source: Source) -> Vec<i64> {
    let incidents = &evidence.incidents;
    let mut logged = evidence.logged_ms.iter().copied().peekable();
    let mut earliest = i64::MIN;
    let mut moments = Vec::with_capacity(incidents.len());
    for (number, incident) in incidents.iter().enumerate() {
        let latest = incidents[number..].iter().find(|later| later.reporter.is_some());
        let (from, to) =
            bounds(incident.received_ms, earliest, latest.map_or(i64::MAX, |later| later.received_ms));
        let (from, to) = match source {
            Source::Database => (from, to),
            Source::Metrics | Source::Log => scraped(evidence, number, from, to),
        };
        let logged = match source {
            Source::Log => {
                while logged.next_if(|at| *at < from).is_some() {}
                logged.next_if(|at| *at <= to && incident.may_have_come_at(*at))
            }
            Source::Database | Source::Metrics => None,
        };
        let at = logged.unwrap_or(i64::midpoint(from, to));
        earliest = earliest.max(if incident.reporter.is_some() || logged.is_some() { at } else { from });
        moments.push(at);
    }
    moments
}

/// Within its minute, if only that is known, and between its neighbours.
fn bounds(received_ms: i64, earliest: i64, latest: i64) -> (i64, i64) {
    let known_to = if received_ms % MINUTE_MS == 0 { received_ms + MINUTE_MS - 1 } else { received_ms };
    let from = received_ms.max(earliest).min(known_to);
    (from, known_to.min(latest).max(from))
}

/// Between the scrapes that count it.
fn scraped(evidence: &Evidence, number: usize, from: i64, to: i64) -> (i64, i64) {
    let scrapes = &evidence.scrapes;
    let counted = scrapes.partition_point(|(_, created)| *created <= number as u64);
    let before = counted.checked_sub(1).map_or(from, |at| scrapes[at].0.clamp(from, to));
    (before, scrapes.get(counted).map_or(to, |(at, _)| (*at).clamp(before, to)))
}
