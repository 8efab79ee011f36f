//! People who read the changes, page by page, each from the beginning and at their own pace.

use axum::body::Body;
use fastrand::Rng;
use incident_core::{Change, Event};
use incident_server::auth::READ_SCOPE;
use serde_json::Value;

use crate::{
    Broken, failing,
    oracle::Oracle,
    server::{Answer, request, token},
    world::{World, note},
};

/// How far somebody has come, and what they saw.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    cursor: Option<String>,
    seen: Vec<Value>,
}

impl World {
    /// A page of the changes, or a list.
    pub(crate) fn read(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        if rng.u8(..4) == 0 {
            let limit = rng.usize(1..4);
            return self.get(&format!("/api/incidents?limit={limit}"), rng).map(drop);
        }
        let reader = rng.usize(..self.readers.len());
        let is_lost = rng.u8(..6) == 0;
        self.read_on(reader, rng.usize(1..6), is_lost, rng).map(drop)
    }

    fn get(&mut self, path: &str, rng: &mut Rng) -> Result<Option<Value>, Broken> {
        let bearer = token("reader", Some(READ_SCOPE), self.setup.secret, self.time.at_the_server());
        let Some(server) = &mut self.server else { return Ok(None) };
        let before = failing::failed(&self.server_file);
        let pending = server.ask(request("GET", path, Some(&bearer), Body::empty()));
        match self.answer_to(pending, rng)? {
            Some(Answer { status: 200, body, .. }) => Ok(serde_json::from_slice(&body).ok()),
            Some(Answer { status: 429, .. }) | None => Ok(None),
            Some(Answer { status: 503, .. })
                if failing::failed(&self.server_file) > before || failing::is_given_up(&self.server_file) =>
            {
                Ok(None)
            }
            Some(other) => Err(format!("a reader is answered {other:?}")),
        }
    }

    /// Reads so many changes at most; says whether there may be more. Of an answer that is lost nothing is seen.
    fn read_on(&mut self, at: usize, limit: usize, is_lost: bool, rng: &mut Rng) -> Result<bool, Broken> {
        let after =
            self.readers[at].cursor.as_ref().map_or(String::new(), |cursor| format!("&after={cursor}"));
        let Some(page) = self.get(&format!("/api/incidents/changes?limit={limit}{after}"), rng)? else {
            return Ok(false);
        };
        note!(self, "reader {at} reads {page}{}", if is_lost { ", lost" } else { "" });
        if is_lost {
            return Ok(true);
        }
        let changes = page["changes"].as_array().cloned().unwrap_or_default();
        let reader = &mut self.readers[at];
        reader.cursor = page["nextCursor"].as_str().map(str::to_owned);
        let is_whole_page = changes.len() == limit;
        reader.seen.extend(changes);
        Ok(is_whole_page)
    }

    /// All read to the end: what each saw is the history, but for what was erased before they came there.
    pub(crate) fn read_to_the_end(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        for reader in 0..self.readers.len() {
            if reader > 0 && self.readers[reader].cursor.is_none() {
                continue; // it would see what another sees that begins now
            }
            while self.read_on(reader, 50, false, rng)? {}
            self.saw_the_history(&self.readers[reader])?;
        }
        Ok(())
    }

    fn saw_the_history(&self, reader: &Reader) -> Result<(), Broken> {
        let oracle = self.database.oracle();
        let mut log = oracle.log.iter();
        for change in &reader.seen {
            loop {
                let Some(logged) = log.next() else {
                    return Err(format!("a reader saw {change} twice, or made up"));
                };
                let is_this =
                    change["incident"]["id"] == logged.id.to_string() && shows(change, &logged.event);
                if is_this {
                    break;
                }
                if logged.is_told {
                    return Err(format!("a reader missed {logged:?} and saw {change}"));
                }
            }
        }
        log.find(|logged| logged.is_told).map_or(Ok(()), |missed| Err(format!("a reader missed {missed:?}")))
    }
}

fn shows(change: &Value, event: &Event) -> bool {
    let reason = match &event.change {
        Change::Cancelled(reason) | Change::CancellationRestated(reason) => Some(reason.as_str()),
        Change::Created | Change::Erased => None,
    };
    change["kind"] == event.change.kind().as_str() && change["cancellationReason"].as_str() == reason
}

/// Whether each named incident is its reporter's and no other's.
pub(crate) fn reporters(oracle: &Oracle) -> impl Iterator<Item = (&str, &str)> {
    oracle.reporters.iter().filter_map(|(id, reporter)| {
        let incident = oracle.stored.get(id)?.kept()?;
        Some((incident.facts.location_id.as_str(), reporter.as_str()))
    })
}
