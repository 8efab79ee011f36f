//! Load from wrk, and what it reports.
//!
//! Why wrk: it shares two cores with the server, so what it takes itself is taken from what is measured. See
//! `generatorMicroseconds` in the results for what a request costs it.

use std::path::Path;

use tokio::process::Command;

use crate::{
    Failure,
    crowd::Crowd,
    extent::{PLACES, REPORTERS},
    machine,
};

pub(crate) const CONNECTIONS: usize = 64;
/// The kernel counts processor time in hundredths of a second.
const MICROSECONDS_A_TICK: f64 = 10_000.0;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Reports that are taken.
    Reports,
    /// The same with a latitude that there is not: all the way but the database.
    Refused,
    /// Whether the server is alive.
    Health,
}

/// What one load sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) what: What,
    /// Payloads a request.
    pub(crate) payloads: usize,
    /// Each with a token of their own.
    pub(crate) reporters: usize,
    pub(crate) places: usize,
    /// Whether a tenth calls off and a tenth repeats what was reported before.
    pub(crate) is_mixed: bool,
    /// After how many requests to begin again; 0 for never.
    pub(crate) cycle: usize,
    /// Whether every request has a connection of its own.
    pub(crate) reconnects: bool,
}

/// Ten thousand reporters at a thousand places: what a server meets.
pub(crate) const MANY: Load = Load {
    what: What::Reports,
    payloads: 1,
    reporters: REPORTERS,
    places: PLACES,
    is_mixed: true,
    cycle: 0,
    reconnects: false,
};

/// One reporter at one place, every request a new incident: the kindest load.
pub(crate) const ONE: Load = Load { reporters: 1, places: 1, is_mixed: false, ..MANY };

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    /// Payloads a second.
    pub(crate) per_second: f64,
    pub(crate) p50_ms: Option<f64>,
    pub(crate) p99_ms: Option<f64>,
    /// Processor time that the generator itself takes for a request.
    pub(crate) generator_us: Option<f64>,
    /// The most memory that the server took.
    pub(crate) memory_mib: Option<f64>,
}

impl Load {
    fn arguments(&self, crowd: &Crowd, first_ms: i64) -> Vec<String> {
        let yes_or_no = |so| if so { "yes" } else { "no" };
        let what = match self.what {
            What::Reports => "reports",
            What::Refused => "refused",
            What::Health => "health",
        };
        vec![
            format!("what={what}"),
            format!("tokens={}", crowd.tokens().display()),
            format!("payloads={}", self.payloads),
            format!("reporters={}", self.reporters),
            format!("places={}", self.places),
            format!("mixed={}", yes_or_no(self.is_mixed)),
            format!("cycle={}", self.cycle),
            format!("connection={}", if self.reconnects { "new" } else { "kept" }),
            format!("first={first_ms}"),
        ]
    }

    /// Sends it over 64 connections from one thread. Any answer that is not the wanted one fails the measurement.
    #[expect(clippy::cast_precision_loss, reason = "of counts of requests")]
    pub(crate) async fn send(
        &self,
        url: &str,
        crowd: &Crowd,
        first_ms: i64,
        seconds: u32,
    ) -> Result<Measured, Failure> {
        let ticks = machine::ticks_of_ended_children();
        let output = Command::new("wrk")
            .args(["-t1", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s"), "--latency", "-s"])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/reports.lua"))
            .args([url, "--"])
            .args(self.arguments(crowd, first_ms))
            .output()
            .await
            .map_err(|error| format!("cannot run wrk (apt-get install wrk): {error}"))?;
        let ticks = machine::ticks_of_ended_children() - ticks;
        let report = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !self.is_as_wanted(&report) {
            let errors = String::from_utf8_lossy(&output.stderr);
            return Err(format!("wrk saw failures:\n{report}{errors}").into());
        }
        let (requests, measured) =
            parse(&report).ok_or_else(|| format!("wrk's report cannot be read:\n{report}"))?;
        let generator_us = Some(ticks as f64 * MICROSECONDS_A_TICK / requests);
        let per_second = measured.per_second * self.payloads as f64;
        Ok(Measured { per_second, generator_us, ..measured })
    }

    fn is_as_wanted(&self, report: &str) -> bool {
        let number = |name| after(report, name)?.parse::<f64>().ok();
        let refused = report.lines().find_map(|line| line.trim().strip_prefix("Non-2xx or 3xx responses: "));
        let answered = report.lines().find_map(|line| line.trim().split_once(" requests in ")).map(|of| of.0);
        let refusals = (self.what == What::Refused).then_some(answered).flatten();
        refused == refusals && !report.contains("Socket errors") && number("Requests/sec:").is_some()
    }
}

/// How many requests there were, and the rest.
fn parse(report: &str) -> Option<(f64, Measured)> {
    let (requests, _) = report.lines().find_map(|line| line.trim().split_once(" requests in "))?;
    let measured = Measured {
        per_second: after(report, "Requests/sec:")?.parse().ok()?,
        p50_ms: Some(milliseconds(&after(report, "50%")?)?),
        p99_ms: Some(milliseconds(&after(report, "99%")?)?),
        ..Measured::default()
    };
    Some((requests.parse().ok()?, measured))
}

fn after(report: &str, name: &str) -> Option<String> {
    let line = report.lines().map(str::trim).find(|line| line.starts_with(name))?;
    line[name.len()..].split_whitespace().next().map(str::to_owned)
}

fn milliseconds(text: &str) -> Option<f64> {
    let (unit, factor) =
        [("us", 0.001), ("ms", 1.0), ("s", 1000.0)].into_iter().find(|(unit, _)| text.ends_with(unit))?;
    text.strip_suffix(unit)?.parse::<f64>().ok().map(|number| number * factor)
}
