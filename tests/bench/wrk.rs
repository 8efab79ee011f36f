//! Load from wrk, and what it reports.

use std::path::Path;

use tokio::process::Command;

use crate::{Failure, subject::Target};

const CONNECTIONS: usize = 64;

/// What one load sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Payloads a request.
    pub(crate) payloads: usize,
    /// `createdAt` of the first payload, milliseconds since 1970; each following one is a millisecond later.
    pub(crate) first_ms: i64,
    /// After how many payloads to begin again; 0 for never.
    pub(crate) cycle: usize,
    /// How long.
    pub(crate) seconds: u32,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) requests_per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Sends a load over 64 connections from one thread; any answer that is no success fails the measurement.
pub(crate) async fn load(target: &impl Target, load: Load) -> Result<Measured, Failure> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/new_incidents.lua");
    let output = Command::new("wrk")
        .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{}s", load.seconds), "--latency", "-s"])
        .arg(script)
        .args([target.url(), "--", target.token()])
        .args([load.payloads.to_string(), load.first_ms.to_string(), load.cycle.to_string()])
        .output()
        .await
        .map_err(|error| format!("cannot run wrk (apt-get install wrk): {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || report.contains("Non-2xx") || report.contains("Socket errors") {
        return Err(format!("wrk saw failures:\n{report}{}", String::from_utf8_lossy(&output.stderr)).into());
    }
    parse(&report).ok_or_else(|| format!("wrk's report cannot be read:\n{report}").into())
}

fn parse(report: &str) -> Option<Measured> {
    let after = |name: &str| {
        let line = report.lines().map(str::trim).find(|line| line.starts_with(name))?;
        line[name.len()..].split_whitespace().next().map(str::to_owned)
    };
    Some(Measured {
        requests_per_second: after("Requests/sec:")?.parse().ok()?,
        p50_ms: milliseconds(&after("50%")?)?,
        p99_ms: milliseconds(&after("99%")?)?,
    })
}

fn milliseconds(text: &str) -> Option<f64> {
    let (unit, factor) =
        [("us", 0.001), ("ms", 1.0), ("s", 1000.0)].into_iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.parse::<f64>().ok().map(|number| number * factor)
}
