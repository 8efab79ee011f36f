//! What people do with their phones.

use fastrand::Rng;
use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::{Change, Entry, EntryState, Outbox, OutboxError, Reached};

use crate::{
    Broken,
    people::{NewReportFacts, Promise, longitude, report},
    phone::Killed,
    world::{World, note},
};

impl World {
    pub(crate) fn report(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some(process) = self.any_process(rng)? else { return Ok(()) };
        let now_ms = self.now_of(process);
        let new = report(self.step, rng, now_ms);
        let done = self.processes[process].call(|outbox| outbox.report(&new, now_ms));
        let mut promise = Promise {
            person: self.processes[process].person,
            device: self.processes[process].device,
            location: new.location_id.clone(),
            report: NewReportFacts {
                is_anonymous: new.is_anonymous,
                longitude_e7: i32::from(longitude(self.step)) * 10_000_000,
            },
            key: None,
            reason: new.cancellation_reason.clone(),
            is_discarded: false,
            is_doubtful: false,
            doubtful_reason: None,
        };
        match &done {
            Ok(Err(OutboxError::Full)) => return Ok(()),
            Ok(Ok(entry)) => {
                note!(self, "process {process} reports {} as {}", promise.location, entry.key);
                promise.key = Some(entry.key);
                self.promises.push(promise);
            }
            Err(Killed(Reached::AfterCommit(Change::Report))) => self.promises.push(promise),
            Ok(Err(error)) if self.processes[process].is_in_doubt(error) => {
                promise.is_doubtful = true;
                self.promises.push(promise);
            }
            _ => {}
        }
        self.survived(process, done).map(drop)
    }

    /// A report that somebody made, and one of the processes that have it.
    fn any_promise(&self, rng: &mut Rng) -> Option<(usize, usize, IdempotencyKey)> {
        let known: Vec<_> = (0..self.promises.len()).filter(|at| self.promises[*at].key.is_some()).collect();
        let promise = *known.get(rng.usize(..known.len().max(1)))?;
        let Promise { device, person, key, .. } = self.promises[promise];
        let has_it = |at: &usize| {
            let process = &self.processes[*at];
            process.is_open() && process.device == device && process.person == person
        };
        let processes: Vec<_> = (0..self.processes.len()).filter(has_it).collect();
        Some((promise, *processes.get(rng.usize(..processes.len().max(1)))?, key?))
    }

    pub(crate) fn call_off(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some((promise, process, key)) = self.any_promise(rng) else { return Ok(()) };
        let reason = ["false alarm", "a drill", "it was somebody else"][rng.usize(..3)].to_owned();
        let now_ms = self.now_of(process);
        let done = self.processes[process].call(|outbox| outbox.cancel(key, &reason, now_ms));
        let promise = &mut self.promises[promise];
        let (known, doubtful) = (promise.reason.clone(), promise.doubtful_reason.clone());
        let is_another = |known: &Option<String>| known.as_ref().is_some_and(|known| *known != reason);
        note!(self, "process {process} calls {key} off: {:?}", done.as_ref().map(Result::is_ok));
        match &done {
            Ok(Ok(_)) | Err(Killed(Reached::AfterCommit(Change::Cancel))) => {
                if is_another(&known) {
                    return Err(format!("{key} was called off for two reasons"));
                }
                (promise.reason, promise.doubtful_reason) = (Some(reason), None);
            }
            Ok(Err(OutboxError::AlreadyCancelled)) if is_another(&known) || is_another(&doubtful) => {
                promise.reason = known.or(doubtful);
                return Ok(());
            }
            Ok(Err(error)) if self.processes[process].is_in_doubt(error) => {
                promise.doubtful_reason = Some(reason);
            }
            // Erased, renamed, or thrown away.
            Ok(Err(OutboxError::NotFound)) => return Ok(()),
            _ => {}
        }
        self.survived(process, done).map(drop)
    }

    pub(crate) fn look_after_an_entry(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some((promise, process, key)) = self.any_promise(rng) else { return Ok(()) };
        let entry = self.processes[process].call(|outbox| outbox.entry(key));
        if matches!(entry, Ok(Err(OutboxError::NotFound))) {
            return Ok(());
        }
        let Some(entry) = self.survived(process, entry)? else { return Ok(()) };
        if rng.bool() { self.retry(promise, process, &entry) } else { self.discard(promise, process, &entry) }
    }

    fn retry(&mut self, promise: usize, process: usize, entry: &Entry) -> Result<(), Broken> {
        let now_ms = self.now_of(process);
        let done = self.processes[process].call(|outbox| outbox.retry(entry.key, now_ms));
        note!(self, "process {process} tries {} again", entry.key);
        if done.is_err() {
            self.promises[promise].key = None; // it may have another name now
        }
        if let Some(entry) = self.survived(process, done)? {
            self.promises[promise].key = Some(entry.key);
        }
        Ok(())
    }

    fn discard(&mut self, promise: usize, process: usize, entry: &Entry) -> Result<(), Broken> {
        let is_told = entry.state == EntryState::Quarantined;
        if is_told && entry.problem.is_none() {
            return Err(format!("{} is in quarantine and nobody says why", entry.key));
        }
        let done = self.processes[process].call(|outbox| outbox.discard(entry.key));
        note!(self, "process {process} discards {}, {:?}", entry.key, entry.state);
        match &done {
            Ok(Ok(())) | Err(Killed(Reached::AfterCommit(Change::Discard))) => {
                if !matches!(entry.state, EntryState::Settled | EntryState::Quarantined) {
                    return Err(format!("{} was discarded and had not gone", entry.key));
                }
                self.promises[promise].is_discarded |= is_told;
            }
            Ok(Err(error)) if self.processes[process].is_in_doubt(error) => {
                self.promises[promise].is_discarded |= is_told;
            }
            Ok(Err(OutboxError::StillPending)) => return Ok(()),
            _ => {}
        }
        self.survived(process, done).map(drop)
    }

    pub(crate) fn look_after_all(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        let Some(process) = self.any_process(rng)? else { return Ok(()) };
        let now_ms = self.now_of(process);
        let all = &mut self.processes[process];
        let done = match rng.u8(..4) {
            0 => all.call(|outbox| outbox.retry_all(None, now_ms).map(drop)),
            1 => all.call(|outbox| outbox.discard_all(Some(EntryState::Settled)).map(drop)),
            2 => all.call(Outbox::network_changed),
            _ => all.call(|outbox| outbox.summary().map(drop)),
        };
        self.survived(process, done)?;
        self.learn_names(process)
    }

    /// Some entries may have other names now.
    pub(crate) fn learn_names(&mut self, process: usize) -> Result<(), Broken> {
        if !self.processes[process].is_open() {
            return Ok(());
        }
        let entries = self.processes[process].call(|outbox| outbox.entries(None, i64::MAX, None));
        let entries = self.survived(process, entries)?.unwrap_or_default();
        let (device, person) = (self.processes[process].device, self.processes[process].person);
        for promise in
            self.promises.iter_mut().filter(|promise| (promise.device, promise.person) == (device, person))
        {
            let entry =
                entries.iter().find(|entry| entry.payload.facts.location_id.as_str() == promise.location);
            promise.key = entry.map(|entry| entry.key).or(promise.key);
        }
        Ok(())
    }
}
