//! Incidents whose entries in the lists wait to be written.
//!
//! An incident goes to the end of its table. Its entries in the lists by reporter and by location go anywhere: with many
//! of both, each is a page to read, to log and to write back, which together cost more than the rest of a commit. So they
//! wait here, and are written in turns: when many wait, they are put into the lists' order and go with the commits that
//! follow, a portion with each, neighbours in one page. Lists ask here, too. What is lost with the process is found again
//! in the history, see `listing/`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use incident_core::{IncidentId, LocationId, State};

use super::waiting::{Lists, in_order, put};
use crate::store::{ListQuery, Position, fold::Changed};

/// So many together that dozens share a page.
pub(super) const TURN: usize = 65_536;
/// Ids by what they are listed under. All of them are committed or about to be.
pub(super) struct Unlisted {
    turn_size: usize,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    waiting: Lists,
    turn: Option<Turn>,
}

/// What is being written. Lists find all of it here until the last of it is.
struct Turn {
    lists: Lists,
    left: Portion,
    size: usize,
    /// Nothing else of the history up to here waits.
    ends_at: Position,
}

/// Entries to be written, the last of each list first.
#[derive(Default, Clone)]
pub(super) struct Portion {
    pub(super) by_reporter: Vec<IncidentId>,
    pub(super) by_location: Vec<IncidentId>,
    /// How far everything is listed with this portion, if its turn ends with it.
    pub(super) listed_to: Option<Position>,
}

/// The newest that may belong to a list; its table has the last word.
#[derive(Default)]
pub(super) struct Candidates {
    pub(super) ids: Vec<IncidentId>,
    pub(super) are_all: bool,
}

impl Unlisted {
    pub(super) fn new(turn_size: usize) -> Self {
        Self { turn_size, entries: Mutex::default() }
    }

    /// Before their commit: whoever sees the incident finds it in its lists.
    pub(super) fn add<'a>(&self, created: impl Iterator<Item = (IncidentId, &'a Changed)>) {
        let waiting = &mut self.entries().waiting;
        for (id, Changed { reporter, incident }) in created {
            waiting.incidents += 1;
            if !incident.facts.is_anonymous {
                waiting.bytes += put(&mut waiting.of_reporter, reporter, reporter.as_str(), id);
            }
            if matches!(incident.state, State::Open) {
                let location_id = &incident.facts.location_id;
                waiting.bytes += put(&mut waiting.open_at, location_id, location_id.as_str(), id);
            }
        }
    }

    /// After its commit: so that no list looks at it in vain.
    pub(super) fn remove_open(&self, id: IncidentId, location_id: &LocationId) {
        let entries = &mut *self.entries();
        for lists in [Some(&mut entries.waiting), entries.turn.as_mut().map(|turn| &mut turn.lists)] {
            if let Some(open) = lists.and_then(|lists| lists.open_at.get_mut(location_id)) {
                open.remove(&id);
            }
        }
    }

    pub(super) fn candidates(&self, query: &ListQuery, most: usize) -> Candidates {
        let entries = self.entries();
        let of = |lists: &Lists| lists.newest(query, most);
        let mut ids = of(&entries.waiting);
        ids.extend(entries.turn.iter().flat_map(|turn| of(&turn.lists)));
        ids.sort_unstable_by(|one, other| other.cmp(one));
        let are_all = ids.len() < most;
        ids.truncate(most);
        Candidates { ids, are_all }
    }

    /// Whether so many wait that the next turn may begin.
    pub(super) fn is_due(&self) -> bool {
        let entries = self.entries();
        entries.turn.is_none() && entries.waiting.weight(self.turn_size) >= self.turn_size
    }

    /// Begins a turn with all that wait. All of them are in the history up to this position, or not at all.
    pub(super) fn begin_turn(&self, ends_at: Position) {
        let mut entries = self.entries();
        let lists = std::mem::take(&mut entries.waiting);
        let left = Portion {
            by_reporter: in_order(&lists.of_reporter, |reporter| reporter.as_str()),
            by_location: in_order(&lists.open_at, LocationId::as_str),
            listed_to: None,
        };
        let size = left.len();
        entries.turn = Some(Turn { lists, left, size, ends_at });
    }

    /// What to write next: at most so many of each list, unless long names would make the next turn due before this one ends.
    pub(super) fn portion(&self, usual: usize) -> Option<Portion> {
        let entries = self.entries();
        let Turn { left, size, ends_at, .. } = entries.turn.as_ref()?;
        let written_by_now = size * entries.waiting.weight(self.turn_size) / self.turn_size;
        let most = usual.max(left.len().saturating_sub(size.saturating_sub(written_by_now)));
        let last_of = |ids: &[IncidentId]| ids[ids.len().saturating_sub(most)..].to_vec();
        let is_last = left.len() <= most;
        Some(Portion {
            by_reporter: last_of(&left.by_reporter),
            by_location: last_of(&left.by_location),
            listed_to: is_last.then_some(*ends_at),
        })
    }

    /// After the commit that wrote it.
    pub(super) fn is_listed(&self, portion: &Portion) {
        let mut entries = self.entries();
        if portion.listed_to.is_some() {
            entries.turn = None;
        } else if let Some(Turn { left, .. }) = &mut entries.turn {
            left.by_reporter.truncate(left.by_reporter.len().saturating_sub(portion.by_reporter.len()));
            left.by_location.truncate(left.by_location.len().saturating_sub(portion.by_location.len()));
        }
    }

    /// When everything that is committed is listed, and the writer is at rest.
    pub(super) fn clear(&self) {
        *self.entries() = Entries::default();
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.entries().waiting.incidents
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Portion {
    fn len(&self) -> usize {
        self.by_reporter.len().max(self.by_location.len())
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, sync::Arc};

    use incident_core::{IdSecret, IdempotencyKey, Reporter, Timestamp, decode};

    use super::{super::waiting::TURN_BYTES, *};
    use crate::store::{SyncItem, fold::fold};

    /// At a location of its own, with a name of so many characters of four bytes.
    fn item(n: i64, characters: usize) -> SyncItem {
        let created_at = Timestamp::from_unix_ms(1_795_392_000_000 + n).unwrap();
        let reporter = Arc::new(Reporter::parse("alice").unwrap());
        let payload = serde_json::json!({
            "locationId": format!("{n:08}{}", "\u{1F600}".repeat(characters)),
            "gpsCoordinates": { "type": "Point", "coordinates": [1, 2] },
            "isAnonymous": false,
            "createdAt": created_at.to_string(),
        });
        let payload = decode(payload.to_string().as_bytes()).unwrap().payload;
        let key = IdempotencyKey::derive(&reporter, created_at);
        SyncItem { id: IncidentId::derive(&IdSecret::new(&[1; 32]).unwrap(), key.into()), reporter, payload }
    }

    fn add(unlisted: &Unlisted, numbers: std::ops::Range<i64>, characters: usize) {
        let items: Vec<_> = numbers.map(|n| item(n, characters)).collect();
        let changed = fold(HashMap::new(), &items, Timestamp::MIN).changed;
        unlisted.add(changed.iter().map(|(id, changed)| (*id, changed)));
    }

    fn waiting_bytes(unlisted: &Unlisted) -> usize {
        unlisted.entries().waiting.bytes
    }

    #[test]
    fn long_names_are_listed_before_they_take_much_memory() {
        let unlisted = Unlisted::new(TURN);
        let mut n = 0;
        while !unlisted.is_due() {
            add(&unlisted, n..n + 500, 120);
            n += 500;
        }

        assert!(n <= 15_000, "{n} with names of 488 bytes wait");
    }

    #[test]
    fn long_names_that_come_while_short_ones_are_listed_make_that_end_in_time() {
        let unlisted = Unlisted::new(20_000);
        add(&unlisted, 0..20_000, 0);
        unlisted.begin_turn(Position(20_000));
        let mut n = 20_000;
        while let Some(portion) = unlisted.portion(100) {
            unlisted.is_listed(&portion);
            add(&unlisted, n..n + 100, 120);
            n += 100;
        }

        assert!(waiting_bytes(&unlisted) < TURN_BYTES + TURN_BYTES / 10, "{}", waiting_bytes(&unlisted));
    }
}
