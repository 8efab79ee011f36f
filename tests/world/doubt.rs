//! What nobody knows after an error of the disk: whether a transaction is there. It has to be there whole, or not at all.

use std::iter;

use incident_core::{IncidentId, Timestamp};
use incident_server::store::{ChangePage, Horizon, IncidentPage, ListQuery, Position, SyncItem};

use crate::oracle::Oracle;

/// A transaction that ended in an error.
#[derive(Debug, Clone)]
pub(crate) enum Doubt {
    Batch(Vec<SyncItem>, Timestamp),
    Erasure(Vec<IncidentId>, Timestamp),
}

/// All that the store shows.
pub(crate) struct Found {
    pub(crate) changes: ChangePage,
    pub(crate) horizon: Horizon,
    pub(crate) list: IncidentPage,
}

/// What is asked for to see all of it.
pub(crate) const EVERYTHING: i64 = 1_000_000;

pub(crate) fn every_incident() -> ListQuery {
    ListQuery { limit: 1_000_000, ..ListQuery::default() }
}

impl Oracle {
    /// Something has happened, and then this was found: with one of the transactions in doubt before, or with none.
    pub(crate) fn see(&mut self, happened: impl Fn(&mut Self), found: &Found) {
        let with = |doubt: Option<&Doubt>| {
            let mut with = self.clone();
            if let Some(doubt) = doubt {
                with.commit_after_all(doubt);
            }
            happened(&mut with);
            with.found(found);
            with
        };
        let without = with(None);
        let mut all = iter::once(without.clone()).chain(self.doubts.iter().map(Some).map(with));
        *self = all.find(|one| one.fault.is_none()).unwrap_or(without);
    }

    /// No other one can be there then.
    fn commit_after_all(&mut self, doubt: &Doubt) {
        match doubt {
            Doubt::Batch(batch, now) => batch.iter().map(|item| self.sync(item, *now)).for_each(drop),
            Doubt::Erasure(ids, now) => ids.iter().map(|id| self.erase(*id, *now)).for_each(drop),
        }
        self.doubts.clear();
    }

    fn found(&mut self, Found { changes, horizon, list }: &Found) {
        self.changes(Position::START, EVERYTHING, changes);
        self.horizon(*horizon);
        self.incidents(&every_incident(), list);
    }
}
