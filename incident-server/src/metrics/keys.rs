//! How fresh the keys of access tokens are.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::auth::KeySetState;

pub(super) struct Keys {
    age_seconds: Gauge<f64, AtomicU64>,
    failures: Counter<u64, AtomicU64>,
}

impl Keys {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let (age_seconds, failures) = (Gauge::default(), Counter::default());
        let help = "Since the issuer's key set was last loaded, or since the start if it never was; 0 without an issuer";
        registry.register_with_unit("key_set_age", help, Unit::Seconds, age_seconds.clone());
        let help = "Attempts to load the keys for access tokens that brought none";
        registry.register("key_set_failures", help, failures.clone());
        Self { age_seconds, failures }
    }

    pub(super) fn note(&self, now: KeySetState) {
        self.age_seconds.set(now.age.as_secs_f64());
        self.failures.inner().store(now.failures, Ordering::Relaxed);
    }
}
