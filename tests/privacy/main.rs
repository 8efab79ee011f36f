//! Who reported anonymously? Tried by somebody who has everything that is stored, on a simulated day.
//!
//! `tests/privacy/run` plays the long form and writes `docs/privacy.json`; `tests/run privacy` plays the short one. The
//! server is the real one on real databases, and every phone has a real outbox; only clocks, people and network are simulated.

mod attack;
mod canaries;
mod day;
mod evidence;
mod figures;
mod keys;
mod log;
mod network;
mod phone;
mod service;
mod trial;
mod world;

use std::{error::Error, path::PathBuf};

use clap::Parser;
use serde_json::{Value, json};

use crate::{figures::Scores, phone::Habits, service::Kind, world::Size};

type Failure = Box<dyn Error + Send + Sync>;

const LONG: Size = Size { people: 1000, incidents: 20_000, shifts: 3, seed: 15 };
const LONG_CANARIES: usize = 100_000;
const SHORT: Size = Size { people: 100, incidents: 1000, shifts: 1, seed: 15 };
const SHORT_CANARIES: usize = 4000;
/// Right guesses beyond chance that keys and reading may allow, in points of a hundred.
const TOLERANCE: f64 = 1.0;

/// Attacks the anonymity of reports, with everything that is stored.
#[derive(Debug, Parser)]
struct Cli {
    /// Play the long form and write its results into this directory
    #[arg(long)]
    write: Option<PathBuf>,
}

/// What must hold, counted as tests are.
#[derive(Default)]
struct Checks {
    passed: usize,
    failed: usize,
}

impl Checks {
    fn hold(&mut self, holds: bool, what: &str) {
        println!("{} {what}", if holds { "ok:" } else { "NOT SO:" });
        *(if holds { &mut self.passed } else { &mut self.failed }) += 1;
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let is_long = cli.write.is_some();
    let (size, canaries) = if is_long { (LONG, LONG_CANARIES) } else { (SHORT, SHORT_CANARIES) };
    let mut checks = Checks::default();
    let (mut days, mut found) = (Vec::new(), Vec::new());
    for kind in [Kind::Sqlite, Kind::Postgres] {
        days.extend(compare(kind, size, is_long, &mut checks).await?);
        found.push(search(kind, canaries, &mut checks).await?);
    }
    if let Some(directory) = &cli.write {
        figures::write(directory, size, &days, &found)?;
    }
    println!("{} passed, {} failed", checks.passed, checks.failed);
    if checks.failed == 0 { Ok(()) } else { Err("somebody can be found".into()) }
}

/// A day as it is delivered, one without spacing, and one of phones that send no sealed keys.
async fn compare(kind: Kind, size: Size, is_long: bool, checks: &mut Checks) -> Result<Vec<Value>, Failure> {
    let mut all = vec![Habits::delivered(), Habits::without_spacing()];
    if is_long {
        all.push(Habits::without_keys());
    }
    let mut days = Vec::new();
    let mut by_times = Vec::new();
    for habits in &all {
        let scores = trial::hold(kind, size, habits).await?;
        check(&scores, habits, checks);
        by_times.push(scores.best("arrival").max(scores.best("combination of times")));
        days.push(json!({ "database": kind.as_str(), "phones": habits.name, "found": scores.json() }));
    }
    let [spaced, not] = [by_times[0], by_times[1]];
    checks
        .hold(spaced < not, &format!("spacing helps: times alone find {spaced:.2} % instead of {not:.2} %"));
    Ok(days)
}

/// Keys tell nothing where they are sealed, and reading tells nothing at all.
fn check(scores: &Scores, habits: &Habits, checks: &mut Checks) {
    let strategies: &[&str] = if habits.sends_sealed_keys {
        &["recompute keys", "read as everybody", "repeat as everybody"]
    } else {
        &["read as everybody"]
    };
    for strategy in strategies {
        let best = scores.best(strategy);
        let holds = best <= scores.chance() + TOLERANCE;
        checks.hold(holds, &format!("to {strategy} finds no more than chance and a point: {best:.2} %"));
    }
}

async fn search(kind: Kind, canaries: usize, checks: &mut Checks) -> Result<Value, Failure> {
    let found = canaries::plant(kind, canaries).await?;
    println!("{}: {found:?}", kind.as_str());
    checks.hold(found.stored == canaries / canaries::EACH, "the search finds the texts that are stored");
    checks.hold(found.leaked == 0, "no name, token, hash of a name or refused text is anywhere");
    checks.hold(found.told == 0, "no text of a report is in the log or the metrics");
    Ok(json!({ "database": kind.as_str(), "found": found.json() }))
}
