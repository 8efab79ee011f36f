//! Measures what the README claims, in one run on one machine, beside peers, and writes it to one file.
//!
//! `bench` measures everything; `bench sqlite` only that part. Figures are medians of rounds; what is compared is
//! measured in turns. A machine that something else uses gives no figures: the run says so and writes nothing.

mod cases;
mod chart;
mod crowd;
mod database;
mod extent;
mod lists;
mod machine;
mod moving;
mod partitions;
mod peers;
mod phone;
mod postgres;
mod program;
mod readme;
mod results;
mod sqlite;
mod subject;
mod summary;
mod watching;
mod wrk;

use std::process::{Command, ExitCode, Stdio};

use clap::{Parser, ValueEnum};
use serde_json::Value;

use crate::{
    extent::{Extent, LONG, TRIAL},
    results::Results,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures and writes the figures of the README.
#[derive(Debug, Parser)]
struct Cli {
    /// What to measure; everything if nothing is named
    parts: Vec<Part>,
    /// Only show that it runs: small, on a machine however busy, and nothing is written
    #[arg(long)]
    trial: bool,
}

/// A section of the results.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Sqlite,
    Postgres,
    Phone,
    /// A hundred thousand phones at once
    Morning,
    /// Every list and filter on ten million incidents
    Lists,
    /// Writes on tables in partitions
    Partitions,
    /// A large table that is partitioned while reports come in
    Moving,
    /// What a sync costs, counted instead of timed
    Instructions,
}

impl Part {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn tools(self) -> &'static [&'static str] {
        match self {
            Self::Sqlite => &["wrk"],
            Self::Partitions => &["wrk", "psql"],
            Self::Moving => &["psql"],
            Self::Postgres => &["wrk", "pgbench", "node"],
            Self::Phone | Self::Morning | Self::Lists => &[],
            Self::Instructions => &["valgrind"],
        }
    }

    async fn measure(self, extent: Extent) -> Result<Value, Failure> {
        match self {
            Self::Sqlite => sqlite::measure(extent).await,
            Self::Postgres => postgres::measure(extent).await,
            Self::Phone => phone::measure().await,
            Self::Morning => morning(extent).await,
            Self::Lists => lists::measure(extent).await,
            Self::Partitions => partitions::measure(extent).await,
            Self::Moving => moving::measure(extent).await,
            Self::Instructions => program::figures("instructions", &[]).await,
        }
    }
}

/// A machine that something else uses makes this part wrong, too, though no load of it can be repeated alone.
async fn morning(extent: Extent) -> Result<Value, Failure> {
    let watch = machine::Watch::new(&[])?;
    let phones = extent.phones.to_string();
    let figures = program::figures("morning", &["--phones", &phones]).await?;
    match watch.disturbance()? {
        Some(what) if !extent.is_trial => Err(format!("the machine is shared: {what}").into()),
        _ => Ok(figures),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}\nbench: no figures were written for what was not finished");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Failure> {
    let parts = if cli.parts.is_empty() { Part::value_variants() } else { &cli.parts };
    for part in parts {
        need(*part)?;
    }
    let extent = if cli.trial { TRIAL } else { LONG };
    let mut results = Results::open()?;
    for part in parts {
        if cli.trial {
            println!("{}", serde_json::to_string_pretty(&part.measure(extent).await?)?);
            continue;
        }
        // Who shares the machine only makes lists slower, and what counts is what they stay below; of partitions it is how
        // much longer than on whole tables a write takes, in turns.
        if !matches!(part, Part::Instructions | Part::Lists | Part::Partitions | Part::Moving) {
            machine::wait_until_quiet().await?;
        }
        results.record(&part.name(), &part.measure(extent).await?)?;
    }
    if cli.trial {
        println!("a trial: nothing was written");
        return Ok(());
    }
    chart::draw(&results)?;
    readme::write(&results)?;
    println!("figures are in {}", results.path().display());
    Ok(())
}

/// Looks for all that a part needs, before anything is filled.
fn need(part: Part) -> Result<(), Failure> {
    for tool in part.tools() {
        let found = Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        found.map_err(|_| format!("the program {tool} is missing; tests/bench/run installs it"))?;
    }
    if matches!(part, Part::Postgres | Part::Lists | Part::Partitions | Part::Moving) {
        postgres::cluster()?;
    }
    Ok(())
}
