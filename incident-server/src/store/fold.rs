//! A batch against what is stored: the core decides item by item, the store writes once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use incident_core::{
    Applied, Erasure, Event, Incident, IncidentId, Outcome, Reporter, Stored, Timestamp, Tombstone,
};

use super::{Erased, ItemError, RowError, SyncItem, Verdict};

/// What is stored of some incidents, as far as it can be read.
pub(super) type Known = HashMap<IncidentId, Result<Stored, RowError>>;

/// What a batch comes to.
pub(super) struct Folded {
    /// One verdict an item, in order.
    pub(super) verdicts: Vec<Verdict>,
    /// The incidents that changed, as they are at the end, ordered by id: so two replicas lock in one order.
    pub(super) changed: BTreeMap<IncidentId, Changed>,
    /// What the history gains, in order.
    pub(super) events: Vec<(IncidentId, Event)>,
}

/// An incident to be written.
pub(super) struct Changed {
    pub(super) reporter: Arc<Reporter>,
    pub(super) incident: Incident,
}

/// The ids of a batch, each once, in order.
pub(super) fn ids(batch: &[SyncItem]) -> Vec<IncidentId> {
    let mut seen = HashSet::with_capacity(batch.len());
    let mut ids: Vec<_> = batch.iter().map(|item| item.id).filter(|id| seen.insert(*id)).collect();
    ids.sort_unstable();
    ids
}

/// Applies the items in order to what is stored of them.
pub(super) fn fold<'a>(
    mut known: Known,
    batch: impl IntoIterator<Item = &'a SyncItem>,
    now: Timestamp,
) -> Folded {
    let mut folded = Folded { verdicts: Vec::new(), changed: BTreeMap::new(), events: Vec::new() };
    for item in batch {
        let verdict = decide(known.get(&item.id), item, now);
        folded.verdicts.push(verdict.map(|Applied { incident, outcome, events }| {
            if let Some(kept) = incident.kept().filter(|_| !events.is_empty()) {
                let changed = Changed { reporter: Arc::clone(&item.reporter), incident: kept.clone() };
                folded.changed.insert(item.id, changed);
                known.insert(item.id, Ok(incident.clone()));
            }
            folded.events.extend(events.into_iter().map(|event| (item.id, event)));
            (incident, outcome)
        }));
    }
    folded
}

/// What erasing them does to those that are known, in the order of the ids, each once. What cannot be read is erased all
/// the same: its id says when it was created.
pub(super) fn erase(known: &Known, ids: &[IncidentId], now: Timestamp) -> Vec<Erased> {
    let mut seen = HashSet::with_capacity(ids.len());
    let ids = ids.iter().copied().filter(|id| seen.insert(*id));
    ids.filter_map(|id| {
        let Erasure { tombstone, outcome } = match known.get(&id)? {
            Ok(stored) => stored.erase(now),
            Err(_) => Erasure { tombstone: Tombstone::new(id.created_at(), now), outcome: Outcome::Erased },
        };
        Some(Erased { id, tombstone, outcome })
    })
    .collect()
}

/// The core's decision. What cannot be read is left as it is.
fn decide(
    stored: Option<&Result<Stored, RowError>>,
    item: &SyncItem,
    now: Timestamp,
) -> Result<Applied, ItemError> {
    let stored = stored.cloned().transpose()?;
    Ok(Incident::apply(stored, &item.payload, now)?)
}

#[cfg(test)]
mod tests {
    use incident_core::{IdSecret, IdempotencyKey, decode};

    use super::*;

    fn item(reason: &str) -> SyncItem {
        let text = format!(
            r#"{{"locationId":"w","gpsCoordinates":{{"type":"Point","coordinates":[1,2]}},"isAnonymous":false,"createdAt":"2026-11-22T10:15Z"{reason}}}"#
        );
        let payload = decode(text.as_bytes()).unwrap().payload;
        let reporter = Arc::new(Reporter::parse("alice").unwrap());
        let key = IdempotencyKey::derive(&reporter, payload.facts.created_at);
        SyncItem { id: IncidentId::derive(&IdSecret::new(&[1; 32]).unwrap(), key.into()), reporter, payload }
    }

    #[test]
    fn one_incident_many_times_in_a_batch_is_written_once_as_it_ends() {
        let batch = [item(""), item(""), item(r#","cancellationReason":"x""#), item("")];
        let folded = fold(HashMap::new(), &batch, Timestamp::MIN);
        let outcomes: Vec<_> = folded.verdicts.iter().map(|verdict| verdict.as_ref().unwrap().1).collect();
        assert_eq!(outcomes, [Outcome::Created, Outcome::Unchanged, Outcome::Cancelled, Outcome::Unchanged]);
        assert_eq!((ids(&batch).len(), folded.changed.len(), folded.events.len()), (1, 1, 2));
    }

    #[test]
    fn a_conflict_leaves_its_neighbours_alone() {
        let mut other = item("");
        other.payload.facts.is_anonymous = true;
        let folded = fold(HashMap::new(), &[item(""), other, item("")], Timestamp::MIN);
        assert!(folded.verdicts[0].is_ok() && folded.verdicts[1].is_err() && folded.verdicts[2].is_ok());
    }
}
