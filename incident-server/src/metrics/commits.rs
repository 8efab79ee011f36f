//! What waits for the database, and how it does.

use prometheus_client::{
    metrics::{
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

pub(super) struct Commits {
    queue_depth: Gauge,
    batch_size: Histogram,
    seconds: Histogram,
    log_bytes: Gauge,
}

impl Commits {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (queue_depth, log_bytes) = (Gauge::default(), Gauge::default());
        let batch_size = Histogram::new(exponential_buckets(1.0, 2.0, 11));
        let seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        registry.register("queue_depth", "Payloads accepted and not answered yet", queue_depth.clone());
        registry.register("batch_size", "Payloads that one transaction took", batch_size.clone());
        registry.register_with_unit("commit", "Time of one transaction", Unit::Seconds, seconds.clone());
        let help = "Size of SQLite's write-ahead log; 0 on PostgreSQL";
        registry.register_with_unit("write_ahead_log", help, Unit::Bytes, log_bytes.clone());
        Self { queue_depth, batch_size, seconds, log_bytes }
    }

    pub(super) fn queue(&self, change: i64) {
        self.queue_depth.inc_by(change);
    }

    #[expect(clippy::cast_precision_loss, reason = "a batch has a few hundred payloads")]
    pub(super) fn commit(&self, payloads: usize, seconds: f64) {
        self.batch_size.observe(payloads as f64);
        self.seconds.observe(seconds);
    }

    pub(super) fn log(&self, bytes: u64) {
        self.log_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }
}
