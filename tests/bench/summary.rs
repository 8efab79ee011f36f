//! Many rounds as one figure each.

use serde_json::{Value, json};

use crate::{results::median, wrk::Measured};

pub(crate) fn median_of(measured: &[Measured], figure: impl Fn(&Measured) -> f64) -> f64 {
    median(measured.iter().map(figure).collect())
}

/// Medians of throughput and latency, and the throughput of every round.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn summary(measured: &[Measured], payloads: usize) -> Value {
    let per_second: Vec<f64> = measured.iter().map(|m| m.requests_per_second * payloads as f64).collect();
    json!({
        "incidentsPerSecond": median(per_second.clone()).round(),
        "everyRound": per_second.iter().map(|figure| figure.round()).collect::<Vec<_>>(),
        "p50Ms": median_of(measured, |m| m.p50_ms),
        "p99Ms": median_of(measured, |m| m.p99_ms),
    })
}
