//! What operators watch, in the `OpenMetrics` text format that Prometheus reads.

mod process;

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use incident_core::{Outcome, Problem};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use crate::{auth::KeySetState, log, serve};

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabel {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ProblemLabel {
    problem: &'static str,
}

/// From a millisecond, below which nobody waits, to the 10 s within which every sync is answered.
const REQUEST_SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

type Durations = Family<RouteLabel, Histogram, fn() -> Histogram>;

/// The counters of one server. A label is a route's pattern, a status or a word of the contract: nothing that could
/// name a person or an incident.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    request_seconds: Durations,
    outcomes: Family<OutcomeLabels, Counter<u64, AtomicU64>>,
    refusals: Family<ProblemLabel, Counter<u64, AtomicU64>>,
    streams: Gauge,
    key_set: KeySetMetrics,
    queue_depth: Gauge,
    batch_size: Histogram,
    commit_seconds: Histogram,
    log_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut whole = Registry::default();
        whole.register_collector(Box::new(process::Process::default()));
        let registry = whole.sub_registry_with_prefix("incident");
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "Which server this is", Info::new(version));
        let requests = Family::default();
        registry.register("requests", "Answered requests by route and status", requests.clone());
        let request_seconds: Durations = Family::new_with_constructor(|| Histogram::new(REQUEST_SECONDS));
        let help = "Time from a request's head to its answer by route; that of a stream is its beginning";
        registry.register_with_unit("request", help, Unit::Seconds, request_seconds.clone());
        let outcomes = Family::default();
        registry.register("outcomes", "What syncs did, by outcome", outcomes.clone());
        let refusals = Family::default();
        let help = "Answers, and results in the answers to batches, that are a problem, by problem";
        registry.register("refusals", help, refusals.clone());
        let streams = Gauge::default();
        registry.register("streams", "Streams of changes that are open", streams.clone());
        let key_set = KeySetMetrics::register(registry);
        let queue_depth = Gauge::default();
        registry.register("queue_depth", "Payloads accepted and not answered yet", queue_depth.clone());
        let batch_size = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        registry.register("batch_size", "Payloads that one transaction took", batch_size.clone());
        let commit_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        registry.register_with_unit(
            "commit",
            "Time of one transaction",
            Unit::Seconds,
            commit_seconds.clone(),
        );
        registry.register_collector(Box::new(DroppedLines));
        registry.register_collector(Box::new(Connections));
        let log_bytes = Gauge::default();
        registry.register_with_unit(
            "write_ahead_log",
            "Size of SQLite's write-ahead log; 0 on PostgreSQL",
            Unit::Bytes,
            log_bytes.clone(),
        );
        Self {
            registry: whole,
            requests,
            request_seconds,
            outcomes,
            refusals,
            streams,
            key_set,
            queue_depth,
            batch_size,
            commit_seconds,
            log_bytes,
        }
    }
}

/// How fresh the keys of an issuer are.
struct KeySetMetrics {
    age_seconds: Gauge<f64, AtomicU64>,
    failures: Counter<u64, AtomicU64>,
}

impl KeySetMetrics {
    fn register(registry: &mut Registry) -> Self {
        let (age_seconds, failures) = (Gauge::default(), Counter::default());
        let help = "Since the issuer's key set was last loaded, or since the start if it never was; 0 without an issuer";
        registry.register_with_unit("key_set_age", help, Unit::Seconds, age_seconds.clone());
        let help = "Attempts to load the keys for access tokens that brought none";
        registry.register("key_set_failures", help, failures.clone());
        Self { age_seconds, failures }
    }
}

/// A stream of changes that is open; it is counted until this is dropped.
pub(crate) struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Asks the log when it is asked itself.
#[derive(Debug)]
struct DroppedLines;

impl Collector for DroppedLines {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let dropped = ConstCounter::new(log::dropped_lines());
        let help = "Lines of the log that found no room";
        dropped.encode(encoder.encode_descriptor("log_lines_dropped", help, None, dropped.metric_type())?)
    }
}

/// Asks the listeners when it is asked itself.
#[derive(Debug)]
struct Connections;

impl Collector for Connections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (open, most) = serve::connections();
        let figures = [
            ("connections", "Connections that are open", open),
            ("connections_limit", "Connections beyond which only health checks are answered", most),
        ];
        for (name, help, figure) in figures {
            let gauge = ConstGauge::new(i64::try_from(figure).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl Metrics {
    /// Counts an answer; `route` is the pattern, never the path.
    pub fn request(&self, route: &str, status: u16, seconds: f64) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
        self.request_seconds.get_or_create(&RouteLabel { route: route.to_owned() }).observe(seconds);
    }

    /// Counts a refusal: of a request, or of one payload in a batch.
    pub fn refusal(&self, problem: Problem) {
        self.refusals.get_or_create(&ProblemLabel { problem: problem.as_str() }).inc();
    }

    /// Counts a stream for as long as what is returned is kept.
    pub(crate) fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// Notes how fresh the keys are now.
    pub(crate) fn key_set(&self, now: KeySetState) {
        self.key_set.age_seconds.set(now.age.as_secs_f64());
        self.key_set.failures.inner().store(now.failures, Ordering::Relaxed);
    }

    /// Counts what a sync did.
    pub fn outcome(&self, outcome: Outcome) {
        self.outcomes.get_or_create(&OutcomeLabels { outcome: outcome.as_str() }).inc();
    }

    /// Payloads came into the queue (positive) or were answered (negative).
    pub fn queue(&self, change: i64) {
        self.queue_depth.inc_by(change);
    }

    /// Records one transaction.
    #[expect(clippy::cast_precision_loss, reason = "a batch has a few hundred payloads")]
    pub fn commit(&self, payloads: usize, seconds: f64) {
        self.batch_size.observe(payloads as f64);
        self.commit_seconds.observe(seconds);
    }

    /// Notes how large the write-ahead log is now.
    pub fn log(&self, bytes: u64) {
        self.log_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// Everything, for `GET /metrics`.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}
