//! The embedded default: throughput, latency, memory, start, and what five million stored incidents cost.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    Failure,
    results::median,
    subject::Subject,
    summary::{median_of, summary},
    wrk::{Load, Measured, load},
};

const ROUNDS: usize = 5;
const SECONDS: u32 = 5;
const STORED: u32 = 5_000_000;
/// 2026-11-23T00:00:00Z: later than everything that the fill stores, as reports from phones are.
const FIRST_MS: i64 = 1_795_392_000_000;
const ROUND_MS: i64 = 3_600_000;

const NEW: Load = Load { payloads: 1, first_ms: FIRST_MS, cycle: 0, seconds: SECONDS };

/// All figures of this part.
pub(crate) async fn measure() -> Result<Value, Failure> {
    Ok(json!({
        "connections": 64,
        "rounds": ROUNDS,
        "secondsARound": SECONDS,
        "start": start().await?,
        "groupCommit": group_commit().await?,
        "batchesOf100": batches().await?,
        "replays": replays().await?,
        "stored": stored().await?,
    }))
}

async fn start() -> Result<Value, Failure> {
    let (mut ready_ms, mut idle_mib) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let data = TempDir::new()?;
        let subject = Subject::start(data.path(), &[]).await?;
        ready_ms.push(subject.ready_after.as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_secs(1)).await;
        idle_mib.push(subject.memory_mib("VmRSS:")?);
        subject.stop().await?;
    }
    Ok(json!({ "readyAfterMs": median(ready_ms), "idleMemoryMib": median(idle_mib) }))
}

/// New incidents, with group commit and with one payload a transaction, in turns.
async fn group_commit() -> Result<Value, Failure> {
    let (mut grouped, mut single, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (measured, mib) = on_empty(&[], NEW).await?;
        println!("sqlite, new incidents, round {round}: {:.0}/s", measured.requests_per_second);
        grouped.push(measured);
        memory.push(mib);
        single.push(on_empty(&["--max-commit-batch", "1"], NEW).await?.0);
    }
    Ok(json!({
        "new": summary(&grouped, 1),
        "oneATransaction": summary(&single, 1),
        "timesOneATransaction": median_of(&grouped, |m| m.requests_per_second) / median_of(&single, |m| m.requests_per_second),
        "memoryUnderLoadMib": median(memory),
    }))
}

async fn batches() -> Result<Value, Failure> {
    let mut measured = Vec::new();
    for round in 1..=ROUNDS {
        let (one, _) = on_empty(&[], Load { payloads: 100, ..NEW }).await?;
        println!("sqlite, batches of 100, round {round}: {:.0} incidents/s", one.requests_per_second * 100.0);
        measured.push(one);
    }
    Ok(summary(&measured, 100))
}

/// A thousand incidents again and again, after one pass that creates them.
async fn replays() -> Result<Value, Failure> {
    let mut measured = Vec::new();
    for round in 1..=ROUNDS {
        let data = TempDir::new()?;
        let subject = Subject::start(data.path(), &[]).await?;
        let again = Load { cycle: 1000, ..NEW };
        load(&subject, Load { seconds: 1, ..again }).await?;
        measured.push(load(&subject, again).await?);
        println!("sqlite, replays, round {round}: {:.0}/s", measured[round - 1].requests_per_second);
        subject.stop().await?;
    }
    Ok(summary(&measured, 1))
}

/// New incidents on a database with five million, and on an empty one, in turns.
async fn stored() -> Result<Value, Failure> {
    let filled = TempDir::new()?;
    fill(filled.path()).await?;
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let subject = Subject::start(filled.path(), &[]).await?;
        let first_ms = FIRST_MS + ROUND_MS * i64::try_from(round)?;
        full.push(load(&subject, Load { first_ms, ..NEW }).await?);
        subject.stop().await?;
        empty.push(on_empty(&[], NEW).await?.0);
        println!("sqlite, {STORED} stored, round {round}: {:.0}/s", full[round - 1].requests_per_second);
    }
    Ok(json!({
        "incidents": STORED,
        "new": summary(&full, 1),
        "newWhenEmpty": summary(&empty, 1),
        "timesEmpty": median_of(&full, |m| m.requests_per_second) / median_of(&empty, |m| m.requests_per_second),
    }))
}

/// One load on a new database, and the most memory the server took.
async fn on_empty(flags: &[&str], what: Load) -> Result<(Measured, f64), Failure> {
    let data = TempDir::new()?;
    let subject = Subject::start(data.path(), flags).await?;
    let measured = load(&subject, what).await?;
    let mib = subject.memory_mib("VmHWM:")?;
    subject.stop().await?;
    Ok((measured, mib))
}

/// Stores incidents of the two years before, of ten thousand reporters at a thousand places, by SQL.
async fn fill(data_dir: &Path) -> Result<(), Failure> {
    Subject::start(data_dir, &[]).await?.stop().await?;
    println!("sqlite: storing {STORED} incidents");
    let options = SqliteConnectOptions::new().filename(data_dir.join("incidents.sqlite"));
    let mut connection = options.pragma("synchronous", "OFF").connect().await?;
    sqlx::raw_sql(include_str!("fill_sqlite.sql")).execute(&mut connection).await?;
    Ok(())
}
