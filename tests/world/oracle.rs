//! What must be: the core's rules, applied to all that was committed, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use incident_core::{Event, Incident, IncidentId, Outcome, Status, Stored, Timestamp, Tombstone};
use incident_server::store::{
    ChangePage, Erased, Horizon, IncidentPage, ItemError, ListQuery, Position, StoredIncident, SyncItem,
    Verdict,
};

use crate::doubt::Doubt;

/// One event that was ever committed; its place in the list is its position in the feed.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) id: IncidentId,
    pub(crate) event: Event,
    /// Whether the feed still has it: an erasure takes the earlier ones of its incident away.
    pub(crate) is_told: bool,
}

/// All that was committed, and what was answered otherwise.
#[derive(Debug, Default, Clone)]
pub(crate) struct Oracle {
    pub(crate) stored: BTreeMap<IncidentId, Stored>,
    pub(crate) reporters: BTreeMap<IncidentId, String>,
    pub(crate) log: Vec<Logged>,
    /// Locations of incidents that were stored and then erased.
    pub(crate) erased: BTreeSet<String>,
    /// What may have been committed, too. The next commit takes its place in the log.
    pub(crate) doubts: Vec<Doubt>,
    pub(crate) fault: Option<String>,
}

impl Oracle {
    /// The first thing that was not as it must be.
    pub(crate) fn fault(&mut self) -> Result<(), String> {
        self.fault.take().map_or(Ok(()), Err)
    }

    pub(crate) fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, expected: &T) {
        if found != expected && self.fault.is_none() {
            self.fault = Some(format!("{what}: found {found:?}, expected {expected:?}"));
        }
    }

    /// A batch was committed with these verdicts.
    pub(crate) fn synced(&mut self, batch: &[SyncItem], now: Timestamp, verdicts: &[Verdict]) {
        self.expect("verdicts of a batch", &verdicts.len(), &batch.len());
        for (item, verdict) in batch.iter().zip(verdicts) {
            let expected = self.sync(item, now);
            self.expect("a verdict", verdict, &expected);
        }
    }

    pub(crate) fn sync(&mut self, item: &SyncItem, now: Timestamp) -> Verdict {
        let before = self.stored.get(&item.id).cloned();
        let is_new = before.is_none();
        let applied = Incident::apply(before, &item.payload, now).map_err(ItemError::from)?;
        if is_new && !item.payload.facts.is_anonymous {
            self.reporters.insert(item.id, item.reporter.as_str().to_owned());
        }
        self.stored.insert(item.id, applied.incident.clone());
        self.commit(applied.events.into_iter().map(|event| Logged { id: item.id, event, is_told: true }));
        Ok((applied.incident, applied.outcome))
    }

    fn commit(&mut self, events: impl IntoIterator<Item = Logged>) {
        let before = self.log.len();
        self.log.extend(events);
        if self.log.len() > before {
            self.doubts.clear();
        }
    }

    /// These were erased, with this answer.
    pub(crate) fn erased(&mut self, ids: &[IncidentId], now: Timestamp, answer: &[Erased]) {
        let expected: Vec<_> = ids.iter().filter_map(|id| self.erase(*id, now)).collect();
        self.expect("an erasure", &answer.to_vec(), &expected);
    }

    pub(crate) fn erase(&mut self, id: IncidentId, now: Timestamp) -> Option<Erased> {
        let erasure = match self.stored.get(&id)? {
            Stored::Erased(tombstone) => {
                return Some(Erased { id, tombstone: *tombstone, outcome: Outcome::Unchanged });
            }
            Stored::Kept(incident) => {
                self.erased.insert(incident.facts.location_id.as_str().to_owned());
                Tombstone::new(incident.facts.created_at, now)
            }
        };
        self.log.iter_mut().filter(|logged| logged.id == id).for_each(|logged| logged.is_told = false);
        self.commit([Logged { id, event: erasure.event(), is_told: true }]);
        self.stored.insert(id, erasure.into());
        self.reporters.remove(&id);
        Some(Erased { id, tombstone: erasure, outcome: Outcome::Erased })
    }

    /// This page was read.
    pub(crate) fn changes(&mut self, after: Position, limit: i64, page: &ChangePage) {
        let told =
            self.log.iter().zip(1..).filter(|(logged, position)| logged.is_told && *position > after.0);
        let told = told.take(usize::try_from(limit).unwrap_or(0));
        let expected: Vec<_> =
            told.map(|(logged, position)| (position, logged.event.clone(), self.shown(logged.id))).collect();
        let found: Vec<_> = page
            .changes
            .iter()
            .map(|change| (change.position.0, change.event.clone(), Some(parts(&change.incident))))
            .collect();
        let next = expected.last().map_or(after.0, |(position, ..)| *position);
        self.expect("a page of changes", &found, &expected);
        self.expect("the place behind a page", &page.next.0, &next);
    }

    pub(crate) fn horizon(&mut self, horizon: Horizon) {
        let newest = i64::try_from(self.log.len()).unwrap_or(i64::MAX);
        self.expect("the horizon", &(horizon.complete_to.0, horizon.newest.0), &(newest, newest));
    }

    pub(crate) fn incident(&mut self, id: IncidentId, found: Option<&StoredIncident>) {
        let expected = self.shown(id);
        self.expect("an incident", &found.map(parts), &expected);
    }

    pub(crate) fn history(&mut self, id: IncidentId, found: &[Event]) {
        let told = self.log.iter().filter(|logged| logged.is_told && logged.id == id);
        let expected: Vec<_> = told.map(|logged| logged.event.clone()).collect();
        self.expect("a history", &found.to_vec(), &expected);
    }

    /// This list was read.
    pub(crate) fn incidents(&mut self, query: &ListQuery, page: &IncidentPage) {
        let mut all: Vec<_> =
            self.stored.iter().rev().filter(|(id, stored)| self.fits(query, **id, stored)).collect();
        let is_last = all.len() <= query.limit;
        all.truncate(query.limit);
        let expected: Vec<_> = all.iter().filter_map(|(id, _)| self.shown(**id)).collect();
        let next = all.last().filter(|_| !is_last).map(|(id, _)| **id);
        let found: Vec<_> = page.incidents.iter().map(parts).collect();
        self.expect("a list", &found, &expected);
        self.expect("the place behind a list", &page.next, &next);
    }

    fn fits(&self, query: &ListQuery, id: IncidentId, stored: &Stored) -> bool {
        let Some(incident) = stored.kept() else { return false };
        let status: Status = incident.state.status();
        query.after.is_none_or(|after| id < after)
            && query.status.is_none_or(|wanted| wanted == status)
            && query.location_id.as_ref().is_none_or(|wanted| *wanted == incident.facts.location_id)
            && query.reporter.as_ref().is_none_or(|wanted| {
                self.reporters.get(&id).is_some_and(|reporter| reporter == wanted.as_str())
            })
            && query.created_after.is_none_or(|wanted| incident.facts.created_at >= wanted)
            && query.created_before.is_none_or(|wanted| incident.facts.created_at < wanted)
    }

    /// What a reader of everything is to see of an incident.
    fn shown(&self, id: IncidentId) -> Option<(IncidentId, Option<String>, Stored)> {
        let mut stored = self.stored.get(&id)?.clone();
        if let Stored::Kept(incident) = &mut stored {
            without_restated(incident);
        }
        Some((id, self.reporters.get(&id).cloned(), stored))
    }

    /// The kept incidents at this location.
    pub(crate) fn at<'o>(
        &'o self,
        location: &'o str,
    ) -> impl Iterator<Item = (IncidentId, &'o Incident)> + 'o {
        let kept = self.stored.iter().filter_map(|(id, stored)| Some((*id, stored.kept()?)));
        kept.filter(move |(_, incident)| incident.facts.location_id.as_str() == location)
    }
}

fn parts(found: &StoredIncident) -> (IncidentId, Option<String>, Stored) {
    let mut stored = found.incident.clone();
    if let Stored::Kept(incident) = &mut stored {
        without_restated(incident);
    }
    (found.id, found.reporter.clone(), stored)
}

/// Readers are not shown further reasons but in the history.
fn without_restated(incident: &mut Incident) {
    if let incident_core::State::Cancelled(cancellation) = &mut incident.state {
        cancellation.restated.clear();
    }
}
