//! Whether every promise was kept.

use std::{
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use aho_corasick::AhoCorasick;
use incident_core::{IdempotencyKey, IncidentId, Status, Stored};
use incident_mobile_ffi::outbox::{Entry, EntryState};

use crate::{
    Broken,
    disk::beside,
    oracle::Oracle,
    people::{NAMES, Promise},
    reader::reporters,
    server::id_secret,
    world::World,
};

impl World {
    /// Every accepted report is at the server exactly once, with its cancellation, or its reporter was told why not.
    pub(crate) fn judge(&mut self) -> Result<(), Broken> {
        let entries = self.all_entries()?;
        for promise in &self.promises {
            let is_its = |entry: &&Entry| entry.payload.facts.location_id.as_str() == promise.location;
            self.kept(promise, entries.iter().find(is_its))
                .map_err(|why| format!("{why}: {promise:?}, {:?}", entries.iter().find(is_its)))?;
        }
        self.nothing_was_made_up()?;
        self.nothing_is_left(&entries)
    }

    fn all_entries(&mut self) -> Result<Vec<Entry>, Broken> {
        let mut all: Vec<Entry> = Vec::new();
        for process in self.open_processes() {
            let entries = self.processes[process].call(|outbox| outbox.entries(None, i64::MAX, None));
            all.extend(self.survived(process, entries)?.unwrap_or_default());
        }
        Ok(all)
    }

    fn kept(&self, promise: &Promise, entry: Option<&Entry>) -> Result<(), Broken> {
        let oracle = self.database.oracle();
        let at_the_server: Vec<_> = oracle.at(&promise.location).collect();
        let was_erased = oracle.erased.contains(&promise.location);
        let ([] | [_]) = at_the_server[..] else { return Err("it is there twice".to_owned()) };
        if was_erased && !at_the_server.is_empty() {
            return Err("it came back after it was erased".to_owned());
        }
        match entry.map(|entry| entry.state) {
            Some(EntryState::Pending | EntryState::Sending) => Err("it still waits".to_owned()),
            Some(EntryState::Quarantined) => {
                let is_told = entry.is_some_and(|entry| entry.problem.is_some());
                if is_told { Ok(()) } else { Err("its reporter was not told why".to_owned()) }
            }
            None if promise.is_discarded || takes_an_erased_name(&oracle, promise) => Ok(()),
            Some(EntryState::Settled) | None if was_erased => Ok(()),
            None if promise.is_doubtful && at_the_server.is_empty() => Ok(()),
            Some(EntryState::Settled) | None => {
                let Some((id, incident)) = at_the_server.first() else { return Err("it is lost".to_owned()) };
                let is_cancelled = incident.state.status() == Status::Cancelled;
                let may_be_cancelled = is_cancelled && promise.doubtful_reason.is_some();
                if is_cancelled != promise.reason.is_some() && !may_be_cancelled {
                    return Err("its cancellation is lost, or made up".to_owned());
                }
                agrees(*id, is_cancelled, entry)
            }
        }
    }

    /// Every incident is a report that was made, by whom it was made.
    fn nothing_was_made_up(&self) -> Result<(), Broken> {
        let oracle = self.database.oracle();
        for incident in oracle.stored.values().filter_map(|stored| stored.kept()) {
            let location = incident.facts.location_id.as_str();
            let promise = self.promises.iter().find(|promise| promise.location == location);
            let Some(promise) = promise else { return Err(format!("{location} was never reported")) };
            let facts = (incident.facts.is_anonymous, incident.facts.gps_coordinates.longitude_e7());
            if facts != (promise.report.is_anonymous, promise.report.longitude_e7) {
                return Err(format!("{location} has other facts: {incident:?}"));
            }
        }
        for (location, reporter) in reporters(&oracle) {
            let promise = self.promises.iter().find(|promise| promise.location == location);
            if promise.is_none_or(|promise| NAMES[promise.person] != reporter || promise.report.is_anonymous)
            {
                return Err(format!("{location} is another's: {reporter}"));
            }
        }
        Ok(())
    }

    /// Of an anonymous report that the server has nothing is left on the phone.
    fn nothing_is_left(&self, entries: &[Entry]) -> Result<(), Broken> {
        let is_there = |promise: &&Promise| {
            entries.iter().any(|entry| entry.payload.facts.location_id.as_str() == promise.location)
        };
        let oracle = self.database.oracle();
        for (number, device) in self.devices.iter().enumerate() {
            let of_device = self.promises.iter().filter(|promise| promise.device == number);
            let has_gone =
                |promise: &Promise| !promise.is_doubtful || oracle.at(&promise.location).next().is_some();
            let gone = of_device
                .filter(|promise| promise.report.is_anonymous && !is_there(promise) && has_gone(promise));
            let texts: Vec<_> = gone.map(|promise| promise.location.as_str()).collect();
            if let Some(found) = found_in(&device.file, &texts)? {
                return Err(format!("{found} can still be read on the phone"));
            }
        }
        match entries
            .iter()
            .find(|entry| entry.payload.facts.is_anonymous && entry.state == EntryState::Settled)
        {
            Some(entry) => Err(format!("{} is anonymous, settled, and not erased", entry.key)),
            None => Ok(()),
        }
    }
}

/// Whether another device of the same account reported in the same millisecond, and that report was erased: of what is
/// erased the server knows the name alone, and it answers every report of that name alike.
fn takes_an_erased_name(oracle: &Oracle, promise: &Promise) -> bool {
    let id = |key: IdempotencyKey| IncidentId::derive(&id_secret(), key.into());
    let stored =
        promise.key.filter(|_| !promise.report.is_anonymous).and_then(|key| oracle.stored.get(&id(key)));
    matches!(stored, Some(Stored::Erased(_)))
}

/// Whether the phone says the same as the server.
fn agrees(id: IncidentId, is_cancelled: bool, entry: Option<&Entry>) -> Result<(), Broken> {
    let Some(incident) = entry.and_then(|entry| entry.incident.as_ref()) else { return Ok(()) };
    if incident.id != id.to_string() {
        return Err("the phone names another incident".to_owned());
    }
    let said = incident.status == Status::Cancelled;
    if said == is_cancelled { Ok(()) } else { Err("the phone shows another status".to_owned()) }
}

/// One of the texts that stands in the file or in one beside it, such as a corrupt one that a repair moved aside.
fn found_in<'t>(file: &Path, texts: &[&'t str]) -> Result<Option<&'t str>, Broken> {
    if texts.is_empty() {
        return Ok(None);
    }
    let search = AhoCorasick::new(texts).map_err(|error| error.to_string())?;
    let own: Vec<_> = ["", "-wal", "-log", "-saved"].iter().map(|suffix| beside(file, suffix)).collect();
    for file in own.into_iter().chain(corrupt_ones(file)?) {
        let bytes = fs::read(file).unwrap_or_default();
        if let Some(found) = search.find(&bytes) {
            return Ok(Some(texts[found.pattern().as_usize()]));
        }
    }
    Ok(None)
}

/// What repairs moved aside.
fn corrupt_ones(file: &Path) -> Result<Vec<PathBuf>, Broken> {
    let begins = beside(file, "-corrupt-");
    let found = fs::read_dir(file.parent().unwrap_or(file)).map_err(|error| error.to_string())?;
    let paths = found.flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.as_os_str().as_bytes().starts_with(begins.as_os_str().as_bytes())).collect())
}
