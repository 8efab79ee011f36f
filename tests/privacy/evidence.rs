//! What the attacker has: the database, the log, the scrapes, the secrets and the list of users.

use std::collections::HashMap;

use incident_core::{EventKind, IdSecret, IncidentId, Reporter};
use incident_server::store::{Position, Store, StoredChange, StoredIncident};

use crate::{Failure, day::Day, keys, service::Service, world::MINUTE_MS};

const PAGE: i64 = 1000;

/// Everything but who reported anonymously.
pub(crate) struct Evidence {
    /// Every incident, in the order of the history.
    pub(crate) incidents: Vec<Incident>,
    /// The list of users.
    pub(crate) people: Vec<Reporter>,
    pub(crate) id_secret: IdSecret,
    /// When something was synced, as the log tells it.
    pub(crate) logged_ms: Vec<i64>,
    /// How many incidents had been created, every 15 s.
    pub(crate) scrapes: Vec<(i64, u64)>,
}

/// An incident as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub(crate) id: IncidentId,
    /// The place of its reporter in the list of users.
    pub(crate) reporter: Option<usize>,
    pub(crate) location: String,
    /// In 1e-7 degrees.
    pub(crate) longitude: i32,
    pub(crate) latitude: i32,
    pub(crate) created_ms: i64,
    /// Of an anonymous one only the minute.
    pub(crate) received_ms: i64,
}

impl Evidence {
    pub(crate) async fn seize(service: &Service, day: &Day) -> Result<Self, Failure> {
        let numbers = day.subs.iter().zip(0..).map(|(sub, number)| (sub.as_str(), number)).collect();
        let mut incidents = Vec::new();
        for change in history(&*service.store).await? {
            if change.event.change.kind() == EventKind::Created {
                incidents.push(Incident::new(&change.incident, &numbers));
            }
        }
        Ok(Self {
            incidents,
            people: day.subs.iter().map(|sub| keys::reporter(sub)).collect(),
            id_secret: service.id_secret.clone(),
            logged_ms: synced(&service.logged()?),
            scrapes: day.scrapes.clone(),
        })
    }

    pub(crate) fn anonymous(&self) -> impl Iterator<Item = (usize, &Incident)> {
        self.incidents.iter().enumerate().filter(|(_, incident)| incident.reporter.is_none())
    }

    pub(crate) fn named(&self) -> impl Iterator<Item = (usize, &Incident)> {
        self.incidents.iter().filter_map(|incident| incident.reporter.map(|reporter| (reporter, incident)))
    }
}

impl Incident {
    fn new(stored: &StoredIncident, numbers: &HashMap<&str, usize>) -> Self {
        let incident = stored.incident.kept().expect("nothing was erased on that day");
        let facts = &incident.facts;
        Self {
            id: stored.id,
            reporter: stored.reporter.as_deref().and_then(|sub| numbers.get(sub).copied()),
            location: facts.location_id.as_str().to_owned(),
            longitude: facts.gps_coordinates.longitude_e7(),
            latitude: facts.gps_coordinates.latitude_e7(),
            created_ms: facts.created_at.unix_ms(),
            received_ms: incident.received_at.unix_ms(),
        }
    }

    /// Whether a moment may be that of its reception.
    pub(crate) fn may_have_come_at(&self, unix_ms: i64) -> bool {
        if self.received_ms % MINUTE_MS == 0 {
            unix_ms - unix_ms % MINUTE_MS == self.received_ms
        } else {
            unix_ms == self.received_ms
        }
    }
}

async fn history(store: &dyn Store) -> Result<Vec<StoredChange>, Failure> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = store.changes(after, PAGE).await?;
        if page.next == after {
            return Ok(all);
        }
        all.extend(page.changes);
        after = page.next;
    }
}

/// The moments of the lines that tell of a sync.
fn synced(log: &str) -> Vec<i64> {
    let lines =
        log.lines().filter(|line| line.contains("/api/incidents/sync") && line.contains("\"answered\""));
    lines
        .filter_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            let moment: incident_core::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
            Some(moment.unix_ms())
        })
        .collect()
}
