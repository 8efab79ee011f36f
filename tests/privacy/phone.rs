//! A phone by the rules of the outbox, in simulated time: what it sends, when, and under which keys.

use std::ops::Range;

use fastrand::Rng;
use serde_json::Value;

use crate::{
    keys,
    world::{MINUTE_MS, Person, Report},
};

const MAX_ENTRIES: usize = 100;

/// What the versions of the outbox do differently.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(crate) name: &'static str,
    /// Whether anonymous reports have sealed keys.
    pub(crate) seals: bool,
    /// How long an anonymous report waits after a named upload.
    pub(crate) spacing: Range<i64>,
    /// Whether named reports overtake anonymous ones that have waited longer.
    pub(crate) named_first: bool,
}

impl Habits {
    /// As the outbox is delivered: the oldest first, and anonymous ones after a distance from named ones.
    pub(crate) fn delivered() -> Self {
        let spacing = 2 * MINUTE_MS..10 * MINUTE_MS;
        Self { name: "sealed keys, spacing", seals: true, spacing, named_first: false }
    }

    /// As it could be: where both wait, named ones first, so that none follows an anonymous one at once.
    pub(crate) fn named_first() -> Self {
        Self { name: "sealed keys, spacing, named first", named_first: true, ..Self::delivered() }
    }

    /// As an app may set it.
    pub(crate) fn without_spacing() -> Self {
        Self { name: "sealed keys, no spacing", spacing: 0..1, ..Self::delivered() }
    }

    /// As it was before 1.1.
    pub(crate) fn of_version_0_1() -> Self {
        Self { name: "derived keys, no spacing", seals: false, ..Self::without_spacing() }
    }
}

/// A phone and what waits in it.
pub(crate) struct Phone {
    person: Person,
    habits: Habits,
    random: Rng,
    secret: [u8; 32],
    entries: Vec<Entry>,
    anonymous_not_before_ms: i64,
}

struct Entry {
    report: Report,
    key: String,
    /// When the app gets round to sending it.
    ready_ms: i64,
    is_settled: bool,
    is_called_off: bool,
}

/// What to do next.
pub(crate) enum Next {
    Send(Upload),
    Wait(i64),
    Done,
}

/// A request, and the entries that it carries.
pub(crate) struct Upload {
    pub(crate) payloads: Vec<Value>,
    pub(crate) keys: Vec<String>,
    entries: Vec<usize>,
}

impl Phone {
    pub(crate) fn new(person: Person, habits: Habits, seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let secret = std::array::from_fn(|_| random.u8(..));
        Self { person, habits, random, secret, entries: Vec::new(), anonymous_not_before_ms: 0 }
    }

    pub(crate) fn sub(&self) -> &str {
        &self.person.sub
    }

    /// What is to be done at this moment. Reports are taken and called off on the way.
    pub(crate) fn next(&mut self, now_ms: i64) -> Next {
        self.take_reports(now_ms);
        let online = self.person.online.iter().find(|spell| now_ms < spell.end).expect("the last has no end");
        if now_ms < online.start {
            return self.wait(online.start);
        }
        let ready: Vec<usize> = self.waiting().filter(|at| self.may_go_ms(*at) <= now_ms).collect();
        let is_named = |at: &&usize| !self.entries[**at].report.is_anonymous;
        let named = ready.iter().find(is_named).filter(|_| self.habits.named_first);
        match named.or(ready.first()) {
            Some(first) => Next::Send(self.upload(*first, &ready)),
            None => self.wait(self.waiting().map(|at| self.may_go_ms(at)).min().unwrap_or(i64::MAX)),
        }
    }

    /// The answer to an upload is there.
    pub(crate) fn settle(&mut self, upload: &Upload, now_ms: i64) {
        for at in &upload.entries {
            let entry = &mut self.entries[*at];
            entry.is_settled = true;
            if !entry.report.is_anonymous {
                let wait = self.random.i64(self.habits.spacing.clone());
                self.anonymous_not_before_ms = now_ms + wait;
            }
        }
    }

    fn take_reports(&mut self, now_ms: i64) {
        let taken = self.entries.len();
        let made = self.person.reports[taken..].iter().take_while(|report| report.created_ms <= now_ms);
        for report in made {
            let seals = self.habits.seals && report.is_anonymous;
            let key = keys::of_report(&self.person.sub, report.created_ms, seals.then_some(self.secret));
            let ready_ms = report.created_ms + self.random.i64(500..3000);
            self.entries.push(Entry {
                report: report.clone(),
                key,
                ready_ms,
                is_settled: false,
                is_called_off: false,
            });
        }
        for entry in &mut self.entries {
            let is_due = entry.report.called_off_ms.take_if(|at| *at <= now_ms).is_some();
            // What was anonymous and settled is gone from the phone: it cannot be called off any more.
            if is_due && !(entry.report.is_anonymous && entry.is_settled) {
                (entry.is_called_off, entry.is_settled) = (true, false);
            }
        }
    }

    fn waiting(&self) -> impl Iterator<Item = usize> {
        (0..self.entries.len()).filter(|at| !self.entries[*at].is_settled)
    }

    fn may_go_ms(&self, at: usize) -> i64 {
        let entry = &self.entries[at];
        if entry.report.is_anonymous {
            entry.ready_ms.max(self.anonymous_not_before_ms)
        } else {
            entry.ready_ms
        }
    }

    /// An anonymous one goes alone, a named one with others.
    fn upload(&self, first: usize, ready: &[usize]) -> Upload {
        let is_named = |at: &&usize| !self.entries[**at].report.is_anonymous;
        let entries: Vec<usize> = if is_named(&&first) {
            ready.iter().filter(is_named).take(MAX_ENTRIES).copied().collect()
        } else {
            vec![first]
        };
        let payload = |at: &usize| self.entries[*at].report.payload(self.entries[*at].is_called_off);
        let payloads = entries.iter().map(payload).collect();
        let keys = entries.iter().map(|at| self.entries[*at].key.clone()).collect();
        Upload { payloads, keys, entries }
    }

    /// Until this moment, or until the next report is made or called off.
    fn wait(&self, until_ms: i64) -> Next {
        let made = self.person.reports.get(self.entries.len()).map(|report| report.created_ms);
        let called_off = self.entries.iter().filter_map(|entry| entry.report.called_off_ms);
        let next = made.into_iter().chain(called_off).fold(until_ms, i64::min);
        if next == i64::MAX { Next::Done } else { Next::Wait(next) }
    }
}
