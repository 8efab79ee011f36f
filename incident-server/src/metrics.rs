//! What operators watch, in the `OpenMetrics` text format that Prometheus reads.

use std::{fmt, sync::atomic::AtomicU64};

use incident_core::Outcome;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::log;

/// The media type of [`Metrics::text`].
pub const MEDIA_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The counters of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter<u64, AtomicU64>>,
    outcomes: Family<OutcomeLabels, Counter<u64, AtomicU64>>,
    queue_depth: Gauge,
    batch_size: Histogram,
    commit_seconds: Histogram,
    log_bytes: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("incident");
        let requests = Family::default();
        registry.register("requests", "Answered requests by route and status", requests.clone());
        let outcomes = Family::default();
        registry.register("outcomes", "What syncs did, by outcome", outcomes.clone());
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
        let log_bytes = Gauge::default();
        registry.register_with_unit(
            "write_ahead_log",
            "Size of SQLite's write-ahead log; 0 on PostgreSQL",
            Unit::Bytes,
            log_bytes.clone(),
        );
        Self { registry, requests, outcomes, queue_depth, batch_size, commit_seconds, log_bytes }
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

impl Metrics {
    /// Counts an answer; `route` is the pattern, never the path.
    pub fn request(&self, route: &str, status: u16) {
        self.requests.get_or_create(&RequestLabels { route: route.to_owned(), status }).inc();
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
    #[allow(clippy::cast_precision_loss)]
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
