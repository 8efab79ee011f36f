//! The morning after an outage: everybody's phone finds the network at once, with what was reported in the night.
//!
//! `morning` fills a real outbox for each of 100,000 phones, starts the server, lets the phones come back within ten
//! seconds, each on a connection of its own, and asks at the end whether every report is on the server, once. A tenth
//! of the reports was called off in the night, a tenth of the phones loses its first answer. The last line of the
//! output is the figures as JSON; a lost or doubled report makes it fail.
//!
//! It talks to nobody but the server that it starts itself on this machine.
//!
//! Only the network is timed. A phone has a processor of its own for its outbox, so its SQLite file is written before
//! and read after: the answers are handed to the outboxes in the evening. What does not settle at once, a lost answer or
//! a server that asks for patience, goes through the outbox in the morning itself, for its waits are the load's.

mod evening;
mod fresh;
mod network;
mod night;
mod phones;
mod server;

use std::{error::Error, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{fresh::Fresh, network::Network, server::Server};

type Failure = Box<dyn Error + Send + Sync>;

/// Who reports while the phones come back.
const FRESH: &str = "fresh";

/// How many phones come back, and how.
#[derive(Debug, Parser)]
struct Cli {
    /// How many phones there are
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(10..=200_000))]
    phones: u32,
    /// Within how many seconds they come back
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    within: u64,
    /// After how many seconds to give up
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    patience: u64,
    /// Where the outboxes are while it runs, 60 kB each
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    folder: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(figures) => {
            println!("{figures}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("morning: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<Value, Failure> {
    let folder = TempDir::with_prefix_in("incident-morning-", &cli.folder)?;
    let server = Server::start(folder.path()).await?;
    println!("the night: {} phones report", cli.phones);
    let phones = night::report(folder.path(), cli.phones, |reporter| server.token(reporter)).await?;
    let network = Arc::new(Network::to(server.address()));

    println!("the morning: they come back within {} s", cli.within);
    let fresh = Fresh::start(Network::to(server.address()), server.token(FRESH)?);
    let within = Duration::from_secs(cli.within);
    let coming = phones::come_back(phones, &network, within);
    let morning = tokio::time::timeout(Duration::from_secs(cli.patience), coming).await;
    let morning = morning.map_err(|_| format!("not all have settled after {} s", cli.patience))??;
    let fresh = fresh.end()?;
    let memory_mib = server.most_memory_mib()?;

    println!("the evening: what the outboxes say, and what the server holds");
    let told = evening::hand_over(morning.phones).await?;
    let compared = evening::compare(&told, &server).await?;
    server.stop().await?;
    Ok(json!({
        "phones": cli.phones,
        "reports": told.len(),
        "settledSeconds": morning.seconds,
        "requests": morning.requests,
        "refusedForNow": morning.refused,
        "lost": compared.lost,
        "doubled": compared.doubled,
        "serverMemoryMib": memory_mib,
        "fresh": fresh,
    }))
}
