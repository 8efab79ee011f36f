//! How many instructions a durable sync takes in the server, on SQLite, counted by valgrind's callgrind.
//!
//! A count does not mind what else the machine does, so it may be a test where a time may not: with `--against` it fails
//! when the count is more than 10 % above the one that is written down. Without, the last line of the output is the
//! figures as JSON, which `tests/bench/run instructions` writes down.

mod count;
mod server;

use std::{collections::BTreeMap, error::Error, path::PathBuf, process::ExitCode};

use clap::Parser;
use serde_json::{Value, json};

type Failure = Box<dyn Error + Send + Sync>;

/// The rise that is taken for a change of the code: two runs of the same program differ by less than 1 %.
const TOLERANCE: f64 = 0.10;

/// Counts the instructions of a durable sync.
#[derive(Debug, Parser)]
struct Cli {
    /// A file of figures to compare with, as the benchmark writes it
    #[arg(long)]
    against: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<bool, Failure> {
    let written = cli.against.as_ref().map(read).transpose()?;
    let counted = BTreeMap::from([
        ("perSync", count::a_sync(1).await?),
        ("perSyncInBatchesOf100", count::a_sync(100).await?),
    ]);
    let Some(written) = written else {
        println!("{}", json!(counted));
        return Ok(true);
    };
    let failed = counted.iter().filter(|(name, now)| !holds(name, **now, &written)).count();
    println!("{} passed, {failed} failed", counted.len() - failed);
    Ok(failed == 0)
}

/// The figures of an earlier count.
fn read(path: &PathBuf) -> Result<Value, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let all: Value = serde_json::from_str(&text)?;
    match &all["instructions"]["figures"] {
        Value::Null => {
            Err(format!("{} has no count yet; tests/bench/run instructions writes one", path.display())
                .into())
        }
        figures => Ok(figures.clone()),
    }
}

fn holds(name: &str, now: f64, written: &Value) -> bool {
    let before = written[name].as_f64().unwrap_or_default();
    let holds = now <= before * (1.0 + TOLERANCE);
    let percent = (now / before - 1.0) * 100.0;
    let word = if holds { "ok:" } else { "NOT SO:" };
    println!("{word} {name} takes {now:.0} instructions, {before:.0} are written down ({percent:+.1} %)");
    if !holds {
        println!("  if it must be so, tests/bench/run instructions writes the new count down");
    }
    holds
}
