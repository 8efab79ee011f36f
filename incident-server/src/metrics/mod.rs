//! What operators watch, in the `OpenMetrics` text format that Prometheus reads.
//!
//! A label is a route's pattern, a status or a word of the contract: nothing that could name a person or an incident.

mod answers;
mod asked;
mod commits;
mod keys;
mod partitions;
mod pools;
mod process;

use incident_core::{Outcome, Problem};
use prometheus_client::{
    encoding::text,
    metrics::{gauge::Gauge, info::Info},
    registry::Registry,
};

use self::{answers::Answers, commits::Commits, keys::Keys, partitions::PartitionGauges, pools::Pools};
use crate::{
    auth::KeySetState,
    store::{self, Pool},
};

/// The media type of [`Metrics::text`].
pub(crate) const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The counters of one server.
pub struct Metrics {
    registry: Registry,
    answers: Answers,
    commits: Commits,
    keys: Keys,
    partitions: PartitionGauges,
    pools: Pools,
    streams: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        process::register(&mut registry);
        let ours = registry.sub_registry_with_prefix("incident");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        ours.register("build", "Which server this is", Info::new(version));
        asked::register(ours);
        let streams = Gauge::default();
        ours.register("streams", "Streams of changes that are open", streams.clone());
        let (answers, commits) = (Answers::register(ours), Commits::register(ours));
        let (keys, pools) = (Keys::register(ours), Pools::register(ours));
        let partitions = PartitionGauges::register(ours);
        Self { registry, answers, commits, keys, partitions, pools, streams }
    }
}

/// A stream of changes that is open; it is counted until this is dropped.
pub(crate) struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Counts an answer; `route` is the pattern, never the path.
    pub(crate) fn request(&self, route: &str, status: u16, seconds: f64) {
        self.answers.request(route, status, seconds);
    }

    /// Counts a refusal: of a request, or of one payload in a batch.
    pub(crate) fn refusal(&self, problem: Problem) {
        self.answers.refusal(problem);
    }

    /// Counts what a sync did.
    pub(crate) fn outcome(&self, outcome: Outcome) {
        self.answers.outcome(outcome);
    }

    /// Counts a stream for as long as what is returned is kept.
    pub(crate) fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// Notes how fresh the keys are now.
    pub(crate) fn key_set(&self, now: KeySetState) {
        self.keys.note(now);
    }

    /// Notes how far partitions go.
    pub(crate) fn partitions(&self, now: store::Partitions) {
        self.partitions.note(now);
    }

    /// Notes how busy the connections with the database are now.
    pub(crate) fn pools(&self, now: &[Pool]) {
        for pool in now {
            self.pools.note(pool);
        }
    }

    /// Payloads came into the queue (positive) or were answered (negative).
    pub(crate) fn queue(&self, change: i64) {
        self.commits.queue(change);
    }

    /// Records one transaction.
    pub(crate) fn commit(&self, payloads: usize, seconds: f64) {
        self.commits.commit(payloads, seconds);
    }

    /// Notes how large the write-ahead log is now.
    pub(crate) fn log(&self, bytes: u64) {
        self.commits.log(bytes);
    }

    /// Everything, for `GET /metrics`.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
