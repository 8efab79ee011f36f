//! How far partitions by time go.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::store;

pub(super) struct PartitionGauges {
    end_seconds: Gauge,
    failures: Counter<u64, AtomicU64>,
}

impl PartitionGauges {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (end_seconds, failures) = (Gauge::default(), Counter::default());
        let help =
            "Moment from which on there is no partition, since 1970; 0 where the tables are not partitioned";
        registry.register_with_unit("partitions_end_timestamp", help, Unit::Seconds, end_seconds.clone());
        let help = "Attempts to make a partition that made none";
        registry.register("partition_failures", help, failures.clone());
        Self { end_seconds, failures }
    }

    pub(super) fn note(&self, now: store::Partitions) {
        self.end_seconds.set(now.end_ms / 1000);
        self.failures.inner().store(now.failures, Ordering::Relaxed);
    }
}
