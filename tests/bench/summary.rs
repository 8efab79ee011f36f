//! Many rounds as one figure each.

use serde_json::{Map, Value, json};

use crate::{results::median, wrk::Measured};

type Figure = fn(&Measured) -> Option<f64>;

/// Medians of throughput, latency, memory and the generator's own cost, and the throughput of every round.
pub(crate) fn summary(measured: &[Measured]) -> Value {
    let per_second: Vec<f64> = measured.iter().map(|m| m.per_second.round()).collect();
    let mut row = Map::new();
    row.insert("perSecond".to_owned(), json!(median(per_second.clone())));
    row.insert("everyRound".to_owned(), json!(per_second));
    let further: [(&str, Figure); 4] = [
        ("p50Ms", |m| m.p50_ms),
        ("p99Ms", |m| m.p99_ms),
        ("memoryMib", |m| m.memory_mib),
        ("generatorMicroseconds", |m| m.generator_us),
    ];
    for (name, figure) in further {
        let figures: Vec<f64> = measured.iter().filter_map(figure).collect();
        if !figures.is_empty() {
            row.insert(name.to_owned(), json!(median(figures)));
        }
    }
    row.into()
}
