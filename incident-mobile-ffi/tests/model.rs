//! The promise against a simple model: whatever happens to phone, network and clock, every accepted report
//! reaches the server exactly once, with its cancellation, or its reporter is told why not.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use incident_core::{
    IdempotencyKey, Incident, IncidentKey, Outcome, Reporter, Status, Stored, Timestamp, decode,
};
use incident_mobile_ffi::outbox::{EntryState, NextUpload, Outbox, OutboxError, Upload, UploadResult};
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use support::{NOW_MS, draft, keys, no_network, open, options, payloads, problem, response};
use tempfile::TempDir;

#[derive(Debug, Clone)]
enum Step {
    Report { anonymous: bool, bad: bool },
    Cancel(Index, u8),
    Upload(Fate),
    Retry(Index),
    Clock(i64),
    Restart,
    Token,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    AnswerLost,
    RequestLost,
    Abandoned,
    Portal,
    Status(i64),
    CancelledMeanwhile,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => Just(Fate::Answered),
        2 => Just(Fate::AnswerLost),
        1 => Just(Fate::RequestLost),
        1 => Just(Fate::Abandoned),
        1 => Just(Fate::Portal),
        2 => prop::sample::select(vec![401, 404, 408, 413, 429, 500, 503]).prop_map(Fate::Status),
        2 => Just(Fate::CancelledMeanwhile),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(anonymous, bad)| Step::Report { anonymous, bad }),
        3 => (any::<Index>(), 0..3_u8).prop_map(|(which, reason)| Step::Cancel(which, reason)),
        8 => fate().prop_map(Step::Upload),
        1 => any::<Index>().prop_map(Step::Retry),
        2 => prop_oneof![-100_000_000..100_000_000_i64, 0..5_i64].prop_map(Step::Clock),
        2 => Just(Step::Restart),
        1 => Just(Step::Token),
    ]
}

/// The server is the core's own rules over a map; it dislikes the location «bad».
#[derive(Default)]
struct Server {
    incidents: BTreeMap<IdempotencyKey, Stored>,
    creations: BTreeMap<IdempotencyKey, usize>,
}

impl Server {
    fn sync(&mut self, payload: &Value, sent: IdempotencyKey) -> (i64, Value) {
        let payload = decode(payload.to_string().as_bytes()).unwrap().payload;
        if payload.facts.location_id.as_str() == "bad" {
            return (422, problem(422, "validation-failed", "quarantine"));
        }
        let alice = Reporter::parse("alice").unwrap();
        let key = IncidentKey::resolve(&payload, &alice, Some(sent)).unwrap().key();
        let derived = IdempotencyKey::derive(&alice, payload.facts.created_at);
        assert_eq!(payload.facts.is_anonymous, key != derived, "an anonymous report has a sealed key");
        let now = Timestamp::from_unix_ms(NOW_MS).unwrap();
        let applied = Incident::apply(self.incidents.get(&key).cloned(), &payload, now).expect("no conflict");
        let created = matches!(applied.outcome, Outcome::Created | Outcome::CreatedAndCancelled);
        *self.creations.entry(key).or_default() += usize::from(created);
        let status = applied.incident.kept().unwrap().state.status().as_str();
        self.incidents.insert(key, applied.incident);
        (if created { 201 } else { 200 }, support::settled(key, applied.outcome.as_str(), status))
    }

    fn answer(&mut self, upload: &Upload) -> UploadResult {
        let sent: Vec<_> = payloads(upload).into_iter().zip(keys(upload)).collect();
        if upload.path.ends_with("/batch") {
            let mut result = |(payload, key): &(Value, IdempotencyKey)| {
                let (status, body) = self.sync(payload, *key);
                support::item(status, body)
            };
            return response(200, &json!({ "results": sent.iter().map(&mut result).collect::<Vec<_>>() }));
        }
        let (status, body) = self.sync(&sent[0].0, sent[0].1);
        response(status, &body)
    }
}

struct World {
    folder: TempDir,
    outbox: Option<Outbox>,
    server: Server,
    now_ms: i64,
    /// Every accepted report, and its reason once a cancellation was accepted.
    accepted: BTreeMap<IdempotencyKey, Option<String>>,
    /// Those that are anonymous: once settled they are erased.
    anonymous: BTreeSet<IdempotencyKey>,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let mut world = Self {
            folder,
            outbox: None,
            server: Server::default(),
            now_ms: NOW_MS,
            accepted: BTreeMap::new(),
            anonymous: BTreeSet::new(),
        };
        world.restart();
        world
    }

    fn restart(&mut self) {
        drop(self.outbox.take());
        let path = self.folder.path().join("outbox.db");
        self.outbox = Some(open(&path, "alice", options(), self.now_ms).unwrap());
    }

    fn outbox(&mut self) -> &mut Outbox {
        self.outbox.as_mut().unwrap()
    }

    fn take(&mut self, step: &Step) {
        let now_ms = self.now_ms;
        match step {
            Step::Report { anonymous, bad } => {
                let mut report = draft(if *bad { "bad" } else { "w" });
                report.is_anonymous = *anonymous;
                let key = self.outbox().report(&report, now_ms).unwrap().key;
                assert_eq!(self.accepted.insert(key, None), None, "a name was given twice");
                if *anonymous {
                    self.anonymous.insert(key);
                }
            }
            Step::Cancel(which, reason) => self.cancel(*which, &format!("reason {reason}")),
            Step::Upload(fate) => self.upload(*fate),
            Step::Retry(which) => {
                if let Some(key) = self.any_key(*which) {
                    let retried = self.outbox().retry(key, now_ms);
                    assert!(retried.is_ok() || self.is_erased(key));
                }
            }
            Step::Clock(ms) => self.now_ms += ms,
            Step::Restart => self.restart(),
            Step::Token => self.outbox().token_changed(),
        }
    }

    fn any_key(&self, which: Index) -> Option<IdempotencyKey> {
        let keys: Vec<_> = self.accepted.keys().copied().collect();
        (!keys.is_empty()).then(|| *which.get(&keys))
    }

    /// Whether it may be gone: an anonymous report that the server has.
    fn is_erased(&self, key: IdempotencyKey) -> bool {
        self.anonymous.contains(&key) && self.server.incidents.contains_key(&key)
    }

    fn cancel(&mut self, which: Index, reason: &str) {
        let Some(key) = self.any_key(which) else { return };
        let now_ms = self.now_ms;
        let known = self.accepted[&key].clone();
        match self.outbox().cancel(key, reason, now_ms) {
            Err(OutboxError::NotFound) => assert!(self.is_erased(key)),
            Ok(entry) => {
                assert_eq!(entry.payload.cancellation_reason.unwrap().as_str(), reason);
                assert!(known.is_none_or(|known| known == reason));
                self.accepted.insert(key, Some(reason.to_owned()));
            }
            Err(_) => assert!(known.is_some_and(|known| known != reason)),
        }
    }

    fn upload(&mut self, fate: Fate) {
        let now_ms = self.now_ms;
        let NextUpload::Send { upload } = self.outbox().next_upload(now_ms).unwrap() else { return };
        let result = match fate {
            Fate::Answered | Fate::CancelledMeanwhile => self.server.answer(&upload),
            Fate::AnswerLost => {
                self.server.answer(&upload);
                no_network()
            }
            Fate::RequestLost => no_network(),
            Fate::Abandoned => return,
            Fate::Portal => support::respond(200, &[], b"<html>"),
            Fate::Status(status) => response(status, &Value::Null),
        };
        if fate == Fate::CancelledMeanwhile {
            let first = self.outbox().entries(Some(EntryState::Sending), 1, None).unwrap()[0].key;
            if self.accepted[&first].is_none() {
                self.outbox().cancel(first, "meanwhile", now_ms).unwrap();
                self.accepted.insert(first, Some("meanwhile".into()));
            }
        }
        self.outbox().complete_upload(upload.id, &result, now_ms).unwrap();
    }

    /// Fair weather until the queue is idle.
    fn settle(&mut self) {
        self.outbox().token_changed();
        for _ in 0..10_000 {
            match self.outbox.as_mut().unwrap().next_upload(self.now_ms).unwrap() {
                NextUpload::Send { upload } => {
                    let answer = self.server.answer(&upload);
                    let now_ms = self.now_ms;
                    self.outbox().complete_upload(upload.id, &answer, now_ms).unwrap();
                }
                NextUpload::Wait { until, .. } => self.now_ms = until.0.max(self.now_ms + 1),
                NextUpload::SignIn { .. } => panic!("nobody asked for a token"),
                NextUpload::Idle => return,
            }
        }
        panic!("the queue never becomes idle");
    }

    fn check(&mut self) {
        for (key, reason) in self.accepted.clone() {
            let entry = self.outbox().entry(key).ok();
            match entry.as_ref().map(|entry| entry.state) {
                None | Some(EntryState::Settled) => {
                    assert_eq!(entry.is_none(), self.anonymous.contains(&key), "nothing is left of it");
                    assert_eq!(self.server.creations[&key], 1, "exactly once");
                    let status = self.server.incidents[&key].kept().unwrap().state.status();
                    assert_eq!(status == Status::Cancelled, reason.is_some(), "the cancellation arrived too");
                }
                Some(EntryState::Quarantined) => assert!(entry.unwrap().problem.is_some(), "told why"),
                Some(state) => panic!("{state:?} is no end"),
            }
        }
        assert!(
            self.server.incidents.keys().all(|key| self.accepted.contains_key(key)),
            "nothing was made up"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_lost_and_exactly_once_or_told_why(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step);
        }
        world.settle();
        world.check();
    }
}
