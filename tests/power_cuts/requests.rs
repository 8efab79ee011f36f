//! What people ask of a server while it is recorded.

use std::{sync::Arc, time::Duration};

use axum::{body::Body, extract::Request, http::Method};
use fastrand::Rng;
use incident_core::{
    CancellationReason, Draft, IdempotencyKey, IncidentId, IncidentKey, OutboxSecret, Reporter, SyncPayload,
    encode_batch,
};
use incident_server::{cli::Cli, run::run, store::SyncItem};
use tempfile::TempDir;

use crate::{
    Failure,
    images::{memory, put},
    record::{Event, Files, Life, State},
    recorder,
    server::{FILE, read},
    serving::{Serving, id_secret, request, with_key},
};

/// After it an erasure may be over.
const MOMENT: Duration = Duration::from_millis(1);

/// Who reports.
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// A report on its way.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    reporter: Arc<Reporter>,
    payload: SyncPayload,
    key: IncidentKey,
}

impl Report {
    pub(crate) fn item(&self) -> SyncItem {
        SyncItem { id: self.id(), reporter: self.reporter.clone(), payload: self.payload.clone() }
    }

    pub(crate) fn id(&self) -> IncidentId {
        IncidentId::derive(&id_secret(), self.key)
    }

    /// As its reporter sends it.
    pub(crate) fn request(&self, now_ms: i64) -> (Vec<IncidentId>, Request) {
        let (payload, sub) = (self.payload.to_canonical_json(), self.reporter.as_str());
        let request = request(Method::POST, "/api/incidents/sync", sub, now_ms, payload.into());
        (vec![self.id()], with_key(request, self.key.key()))
    }
}

/// The report of this number.
pub(crate) fn report(number: usize, now_ms: i64, is_anonymous: bool) -> Report {
    let draft = Draft { is_anonymous, ..Draft::new(format!("ward {number}"), 12.4924, 41.8902) };
    let payload = SyncPayload::from_draft(&draft, now_ms).expect("a valid draft");
    let reporter = Reporter::parse(NAMES[number % NAMES.len()]).expect("a name");
    let created_at = payload.facts.created_at;
    let sealed =
        is_anonymous.then(|| IdempotencyKey::seal(&OutboxSecret::new([9; 32]), &reporter, created_at));
    let key = IncidentKey::resolve(&payload, &reporter, sealed).expect("its own key");
    Report { reporter: Arc::new(reporter), payload, key }
}

/// A server, and people who ask it.
pub(crate) struct Requests {
    folder: TempDir,
    serving: Serving,
    rng: Rng,
    states: Vec<State>,
    reports: Vec<Report>,
    answers: u64,
}

impl Requests {
    /// Puts the files there and records from now on. The first step starts the server.
    pub(crate) fn begin(
        base: &Files,
        state: State,
        now_ms: i64,
        rng: Rng,
        is_kept: bool,
    ) -> Result<Self, Failure> {
        let folder = memory()?;
        put(base, folder.path())?;
        recorder::start(folder.path(), is_kept)?;
        let serving = Serving::start(&folder.path().join(FILE), now_ms)?;
        let mut requests =
            Self { folder, serving, rng, states: vec![state], reports: Vec::new(), answers: 0 };
        requests.returned()?;
        Ok(requests)
    }

    /// Takes so many steps by chance, and ends.
    pub(crate) fn live(mut self, steps: usize) -> Result<Life, Failure> {
        for _ in 0..steps {
            self.serving.pass(self.rng.i64(1..100_000));
            self.step()?;
            self.returned()?;
        }
        let (base, events) = recorder::stop()?;
        Ok(Life { base, events, states: self.states, first_call: 0, now_ms: self.serving.now_ms() })
    }

    /// Takes steps until so many answers were given, and says of how many it was.
    pub(crate) fn answers(mut self, wanted: u64) -> Result<u64, Failure> {
        while self.answers < wanted {
            self.serving.pass(self.rng.i64(1..100_000));
            self.sync_some()?;
            // Repeats of what was long ago are as good as others.
            self.reports.truncate(500);
        }
        self.is_in_order()?;
        recorder::stop()?;
        Ok(self.answers)
    }

    /// The step is over: from now on what it did must be there.
    fn returned(&mut self) -> Result<(), Failure> {
        self.is_in_order()?;
        let state = self.at_rest()?;
        recorder::note(Event::Returned(self.states.len()));
        self.states.push(state);
        Ok(())
    }

    /// What stands in the database, read while nothing was erased.
    fn at_rest(&self) -> Result<State, Failure> {
        let store = &self.serving.store;
        loop {
            let before = store.erasures();
            let state = self.serving.wait_for(read(&**store));
            if before.are_over() && store.erasures() == before {
                return Ok(state?);
            }
            self.serving.wait_for(async { tokio::time::sleep(MOMENT).await });
        }
    }

    fn is_in_order(&self) -> Result<(), Failure> {
        match self.serving.store.too_early() {
            0 => Ok(()),
            commits => Err(format!("{commits} commits returned before they were synced").into()),
        }
    }

    fn step(&mut self) -> Result<(), Failure> {
        match self.rng.u8(..16) {
            0..9 => self.sync_some(),
            9..11 => self.batch(),
            11 | 12 => self.erase(),
            13 => Ok(self.serving.forget()?),
            14 => self.compact(),
            _ => self.serving.start_again(&self.folder.path().join(FILE)),
        }
    }

    /// Some reports at once, each of its own incident: new ones, repeats, and such that call one off.
    fn sync_some(&mut self) -> Result<(), Failure> {
        let reports = self.some();
        let now_ms = self.serving.now_ms();
        let requests = reports.iter().map(|report| report.request(now_ms));
        self.answers += self.serving.ask_all(requests.collect())?;
        Ok(())
    }

    fn batch(&mut self) -> Result<(), Failure> {
        let reports = self.some();
        let of_one = NAMES[self.rng.usize(..NAMES.len())];
        let own: Vec<_> = reports.iter().filter(|report| report.reporter.as_str() == of_one).collect();
        let items: Vec<_> = own.iter().map(|report| (&report.payload, report.key.key())).collect();
        if own.is_empty() {
            return Ok(());
        }
        let (body, now_ms) = (Body::from(encode_batch(&items)), self.serving.now_ms());
        let request = request(Method::POST, "/api/incidents/sync/batch", of_one, now_ms, body);
        let ids = own.iter().map(|report| report.id()).collect();
        self.answers += self.serving.ask_all(vec![(ids, request)])?;
        Ok(())
    }

    fn some(&mut self) -> Vec<Report> {
        let mut reports = Vec::new();
        for _ in 0..self.rng.usize(1..7) {
            let number = self.reports.len();
            let is_anonymous = self.rng.u8(..3) == 0;
            self.serving.pass(1);
            let mut one = report(number, self.serving.now_ms(), is_anonymous);
            self.reports.push(one.clone());
            if number > 0 && self.rng.u8(..3) == 0 {
                one = self.reports[self.rng.usize(..number)].clone();
            }
            if self.rng.u8(..4) == 0 {
                one.payload.cancellation_reason = CancellationReason::parse("a false alarm").ok();
            }
            reports.push(one);
        }
        reports.sort_by_key(Report::id);
        reports.dedup_by_key(|report| report.id());
        reports
    }

    fn erase(&mut self) -> Result<(), Failure> {
        let Some(report) = self.reports.get(self.rng.usize(..self.reports.len().max(1))) else {
            return Ok(());
        };
        let path = format!("/api/incidents/{}", report.id());
        let request = request(Method::DELETE, &path, "eraser", self.serving.now_ms(), Body::empty());
        self.serving.ask_all(vec![(vec![report.id()], request)]).map(drop)
    }

    /// Another process writes the database anew beside the server.
    fn compact(&mut self) -> Result<(), Failure> {
        let url = format!("sqlite://{}", self.folder.path().join(FILE).display());
        let cli =
            <Cli as clap::Parser>::try_parse_from(["incident-server", "compact", "--database-url", &url])?;
        self.serving.wait_for(run(cli)).map_err(|error| error.to_string().into())
    }
}
