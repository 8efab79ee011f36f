//! The server: the way of one payload, as in the real one.

use std::collections::VecDeque;

use incident_core::{
    BatchError, DecodeError, Decoded, IdSecret, IdempotencyKey, Incident, IncidentId, IncidentKey, KeyError,
    Problem, Reporter, Stored, Timestamp, decode, decode_batch,
};

use crate::{
    answer::{self, Refused, Settled},
    exchange::{Answer, Header, Request},
    fault::{self, FakeFault},
};

/// Where one payload is sent.
pub const SYNC_PATH: &str = "/api/incidents/sync";
/// Where several are sent at once.
pub const BATCH_PATH: &str = "/api/incidents/sync/batch";
/// The most faults that may stand in line: more than a test that ends would order.
pub const MAX_FAULTS: usize = 10_000;
/// It keeps nobody's secrets.
const ID_SECRET: [u8; 32] = *b"a fake server has no secrets 123";

/// An incident as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerIncident {
    /// The name under which it is stored.
    pub id: IncidentId,
    /// Who reported it, unless that is not known.
    pub reporter: Option<Reporter>,
    /// What is stored.
    pub stored: Stored,
}

/// A server that answers one upload after the other.
#[derive(Debug, Default)]
pub struct Server {
    /// Whose token comes with the uploads; nobody's: 401.
    pub signed_in: Option<Reporter>,
    /// Few, and in no order.
    incidents: Vec<ServerIncident>,
    faults: VecDeque<FakeFault>,
    uploads: i64,
}

impl Server {
    /// Lets the next uploads fail in this way, as many as `times`, behind those that were ordered before. Says whether
    /// there was room for them.
    pub fn order(&mut self, fault: FakeFault, times: usize) -> bool {
        let has_room = self.faults.len().saturating_add(times) <= MAX_FAULTS;
        if has_room {
            self.faults.extend(std::iter::repeat_n(fault, times));
        }
        has_room
    }

    /// How many uploads it has seen, whatever became of them.
    pub fn uploads(&self) -> i64 {
        self.uploads
    }

    /// What it has, oldest first.
    pub fn incidents(&self) -> Vec<ServerIncident> {
        let mut incidents = self.incidents.clone();
        incidents.sort_unstable_by_key(|incident| incident.id);
        incidents
    }

    /// Erases an incident, as an operator would. Says whether there is one of this id.
    pub fn erase(&mut self, id: IncidentId, now: Timestamp) -> bool {
        let found = self.incidents.iter_mut().find(|incident| incident.id == id);
        let is_found = found.is_some();
        if let Some(incident) = found {
            (incident.reporter, incident.stored) = (None, incident.stored.erase(now).tombstone.into());
        }
        is_found
    }

    /// Answers, or lets the upload fail as ordered.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Answer {
        self.uploads += 1;
        match self.faults.pop_front() {
            None => self.serve(request, now),
            Some(FakeFault::LostAnswer) => {
                self.serve(request, now);
                fault::lost()
            }
            Some(FakeFault::Conflict) => answer::conflict(request.path == BATCH_PATH, &request.body),
            Some(fault) => fault.result(),
        }
    }

    fn serve(&mut self, request: &Request, now: Timestamp) -> Answer {
        let Some(caller) = self.signed_in.clone() else {
            return answer::whole(&Refused::new(Problem::Unauthorized, "no token came with the request"));
        };
        match request.path.as_str() {
            SYNC_PATH => self.single(&caller, request, now),
            BATCH_PATH => self.batch(&caller, &request.body, now),
            _ => answer::whole(&Refused::new(Problem::NotFound, "there is no such route")),
        }
    }

    fn single(&mut self, caller: &Reporter, request: &Request, now: Timestamp) -> Answer {
        let name = |header: &&Header| header.name.eq_ignore_ascii_case("Idempotency-Key");
        let key = request.headers.iter().find(name).map(|header| header.value.parse());
        match self.sync(caller, decode(&request.body), key, now) {
            Ok(settled) => answer::one(&settled),
            Err(refused) => answer::whole(&refused),
        }
    }

    fn batch(&mut self, caller: &Reporter, body: &[u8], now: Timestamp) -> Answer {
        let items = match decode_batch(body) {
            Ok(items) => items,
            Err(BatchError::Malformed(malformed)) => {
                return answer::whole(&DecodeError::Malformed(malformed).into());
            }
            Err(BatchError::Invalid(violations)) => {
                return answer::whole(&DecodeError::Invalid(violations).into());
            }
            Err(refusal @ BatchError::TooManyItems) => {
                return answer::whole(&Refused::new(Problem::PayloadTooLarge, &refusal.to_string()));
            }
        };
        let answered = items.into_iter().map(|item| self.sync(caller, item.payload, item.key, now));
        answer::many(&answered.collect::<Vec<_>>())
    }

    /// The way of one payload, as in the real server.
    fn sync(
        &mut self,
        caller: &Reporter,
        payload: Result<Decoded, DecodeError>,
        key: Option<Result<IdempotencyKey, KeyError>>,
        now: Timestamp,
    ) -> Result<Settled, Refused> {
        let Decoded { payload, warnings } = payload?;
        let sent = key.transpose().map_err(|KeyError| Refused::mismatch())?;
        let key = IncidentKey::resolve(&payload, caller, sent).map_err(|_| Refused::mismatch())?;
        let secret = IdSecret::new(&ID_SECRET).map_err(|_| Refused::new(Problem::Internal, ""))?;
        let id = IncidentId::derive(&secret, key);
        let stored = self.incidents.iter().find(|incident| incident.id == id);
        let applied = Incident::apply(stored.map(|incident| incident.stored.clone()), &payload, now)?;
        let is_named = applied.incident.kept().is_some_and(|incident| !incident.facts.is_anonymous);
        let reporter = is_named.then(|| caller.clone());
        self.incidents.retain(|incident| incident.id != id);
        self.incidents.push(ServerIncident { id, reporter, stored: applied.incident.clone() });
        Ok(Settled { id, key: key.key(), applied, warnings })
    }
}
