//! Somebody who reads the changes, page by page, from the beginning.

use axum::body::Body;
use fastrand::Rng;
use incident_core::{Change, Event};
use incident_server::auth::READ_SCOPE;
use serde_json::Value;

use crate::{
    Broken,
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
        self.read_on(rng.usize(1..6), rng).map(drop)
    }

    fn get(&mut self, path: &str, rng: &mut Rng) -> Result<Option<Value>, Broken> {
        let bearer = token("reader", Some(READ_SCOPE), self.setup.secret, self.time.at_the_server());
        let Some(server) = &mut self.server else { return Ok(None) };
        let pending = server.ask(request("GET", path, Some(&bearer), Body::empty()));
        match self.answer_to(pending, rng)? {
            Some(Answer { status: 200, body, .. }) => Ok(serde_json::from_slice(&body).ok()),
            Some(Answer { status: 429, .. }) | None => Ok(None),
            Some(other) => Err(format!("a reader is answered {other:?}")),
        }
    }

    /// Reads so many changes at most; says whether there was one.
    fn read_on(&mut self, limit: usize, rng: &mut Rng) -> Result<bool, Broken> {
        let after = self.reader.cursor.as_ref().map_or(String::new(), |cursor| format!("&after={cursor}"));
        let Some(page) = self.get(&format!("/api/incidents/changes?limit={limit}{after}"), rng)? else {
            return Ok(false);
        };
        note!(self, "the reader reads {page}");
        let changes = page["changes"].as_array().cloned().unwrap_or_default();
        self.reader.cursor = page["nextCursor"].as_str().map(str::to_owned);
        let has_read = !changes.is_empty();
        self.reader.seen.extend(changes);
        Ok(has_read)
    }

    /// Reads to the end: what the reader saw is the history, but for what was erased before it came there.
    pub(crate) fn read_to_the_end(&mut self, rng: &mut Rng) -> Result<(), Broken> {
        while self.read_on(50, rng)? {}
        let oracle = self.database.oracle();
        let mut log = oracle.log.iter();
        for change in &self.reader.seen {
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
