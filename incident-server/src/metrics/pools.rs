//! How busy the connections with the database are.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::store::Pool;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PoolLabel {
    pool: &'static str,
}

pub(super) struct Pools {
    busy: Family<PoolLabel, Gauge>,
    limit: Family<PoolLabel, Gauge>,
    uses: Family<PoolLabel, Counter<u64, AtomicU64>>,
    wait_seconds: Family<PoolLabel, Counter<f64, AtomicU64>>,
}

impl Pools {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (busy, limit) = (Family::default(), Family::default());
        let (uses, wait_seconds) = (Family::default(), Family::default());
        registry.register("database_connections", "Connections with the database at work", busy.clone());
        let help = "Connections with the database that there are at most";
        registry.register("database_connections_limit", help, limit.clone());
        let help = "How often a connection with the database was asked for";
        registry.register("database_uses", help, uses.clone());
        let help = "How long was waited for connections with the database";
        registry.register_with_unit("database_wait", help, Unit::Seconds, wait_seconds.clone());
        Self { busy, limit, uses, wait_seconds }
    }

    pub(super) fn note(&self, pool: &Pool) {
        let label = PoolLabel { pool: pool.name };
        self.busy.get_or_create(&label).set(i64::try_from(pool.busy).unwrap_or(i64::MAX));
        self.limit.get_or_create(&label).set(i64::try_from(pool.limit).unwrap_or(i64::MAX));
        self.uses.get_or_create(&label).inner().store(pool.uses, Ordering::Relaxed);
        // Such a counter keeps its number as the bits of one.
        let wait_seconds = pool.waited.as_secs_f64().to_bits();
        self.wait_seconds.get_or_create(&label).inner().store(wait_seconds, Ordering::Relaxed);
    }
}
