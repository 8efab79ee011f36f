//! The embedded default: throughput, latency, memory and start, with five million stored incidents.

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Failure,
    cases::{BOTH, Bench, ON_SQLITE, ratio},
    database::Kind,
    extent::Extent,
    results::median,
    subject::Subject,
};

/// All figures of this part.
pub(crate) async fn measure(extent: Extent) -> Result<Value, Failure> {
    let stored = extent.sqlite_stored;
    let start = start(extent.rounds).await?;
    let mut bench = Bench::fill(Kind::Sqlite, extent, Vec::new(), stored).await?;
    let rows = bench.measure(&[BOTH, ON_SQLITE].concat()).await?;
    Ok(json!({
        "database": bench.kind.version().await?,
        "stored": stored,
        "rounds": extent.rounds,
        "secondsARound": extent.seconds,
        "start": start,
        "ratios": {
            "manyToOneReporterOnEmpty": ratio(&rows, "many", "oneReporterOnEmpty"),
            "manyToOneATransaction": ratio(&rows, "many", "oneATransaction"),
            "manyToRefused": ratio(&rows, "many", "refused"),
            "newConnectionsToMany": ratio(&rows, "newConnections", "many"),
            "batchesToOneReporterOnEmpty": ratio(&rows, "batches", "batchesOfOneReporterOnEmpty"),
            "batchesToBulkInsert": ratio(&rows, "batches", "bulkInsert"),
        },
        "rows": rows,
    }))
}

async fn start(rounds: usize) -> Result<Value, Failure> {
    let (mut ready_ms, mut idle_mib) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let data = TempDir::new()?;
        let subject = Subject::start(data.path(), &[]).await?;
        ready_ms.push(subject.ready_after.as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle_mib.push(subject.memory_mib("VmRSS:")?);
        subject.stop().await?;
    }
    Ok(json!({ "readyAfterMs": median(ready_ms), "idleMemoryMib": median(idle_mib) }))
}
