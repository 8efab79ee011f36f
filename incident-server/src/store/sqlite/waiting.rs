//! Lists in memory, and what they take of it.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use incident_core::{IncidentId, LocationId, Reporter, Status};

use crate::store::ListQuery;

/// As much memory as a turn of usual names takes, so that long ones take no more: as much again for the turn under way.
pub(super) const TURN_BYTES: usize = 8 * 1024 * 1024;
/// What a list takes beside its name: its place in the table, its first node.
const LIST_BYTES: usize = 256;
/// What an id takes in the nodes of a long list.
const ID_BYTES: usize = 24;

/// Ids by what they are listed under.
#[derive(Default)]
pub(super) struct Lists {
    pub(super) of_reporter: HashMap<Arc<Reporter>, BTreeSet<IncidentId>>,
    pub(super) open_at: HashMap<LocationId, BTreeSet<IncidentId>>,
    pub(super) incidents: usize,
    pub(super) bytes: usize,
}

impl Lists {
    /// As how many incidents with usual names these count.
    pub(super) fn weight(&self, turn_size: usize) -> usize {
        self.incidents.max(self.bytes * turn_size / TURN_BYTES)
    }

    pub(super) fn newest(&self, query: &ListQuery, most: usize) -> Vec<IncidentId> {
        let ids = match (&query.reporter, &query.location_id, query.status) {
            (Some(reporter), ..) => self.of_reporter.get(reporter),
            (None, Some(location_id), None | Some(Status::Open)) => self.open_at.get(location_id),
            (None, ..) => None, // all others are indexes, written with the incident
        };
        let (first, behind) = query.id_range();
        let in_range =
            |ids: &BTreeSet<IncidentId>| ids.range(first..behind).rev().take(most).copied().collect();
        if first < behind { ids.map(in_range).unwrap_or_default() } else { Vec::new() }
    }
}

/// Puts an id into its list, and says how many bytes that takes.
pub(super) fn put<K: Clone + Eq + Hash>(
    lists: &mut HashMap<K, BTreeSet<IncidentId>>,
    key: &K,
    text: &str,
    id: IncidentId,
) -> usize {
    if let Some(ids) = lists.get_mut(key) {
        ids.insert(id);
        return ID_BYTES;
    }
    lists.insert(key.clone(), BTreeSet::from([id]));
    LIST_BYTES + text.len() + ID_BYTES
}

/// The ids in the order of the list, backwards.
pub(super) fn in_order<K>(
    lists: &HashMap<K, BTreeSet<IncidentId>>,
    text: impl Fn(&K) -> &str,
) -> Vec<IncidentId> {
    let mut lists: Vec<_> = lists.iter().map(|(key, ids)| (text(key), ids)).collect();
    lists.sort_unstable_by(|(one, _), (other, _)| other.cmp(one));
    lists.into_iter().flat_map(|(_, ids)| ids.iter().rev().copied()).collect()
}
