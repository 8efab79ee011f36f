//! What an export holds, and whom it concerns.

use std::{collections::HashSet, fmt};

use crate::store::StoredIncident;

#[derive(Default)]
pub(super) struct Tally {
    pub(super) incidents: usize,
    pub(super) unreadable: usize,
    anonymous: usize,
    erased: usize,
    reporters: HashSet<String>,
}

impl Tally {
    pub(super) fn add(&mut self, stored: &StoredIncident) {
        self.incidents += 1;
        self.erased += usize::from(stored.incident.kept().is_none());
        self.anonymous += usize::from(stored.incident.kept().is_some_and(|kept| kept.facts.is_anonymous));
        if let Some(reporter) = &stored.reporter
            && !self.reporters.contains(reporter)
        {
            self.reporters.insert(reporter.clone());
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { incidents, anonymous, erased, reporters, .. } = self;
        write!(
            f,
            "{incidents} incidents, {anonymous} of them anonymous and {erased} erased; {} people are named in it as reporters. It holds the \
             texts of reports and where people were: keep it as you keep the database, no longer than you need it, and \
             apart from the id secret",
            reporters.len()
        )
    }
}
