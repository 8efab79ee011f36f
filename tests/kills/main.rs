//! Kills for real: the server on SQLite, PostgreSQL, the replicas of both, and phones, each while it works, over and over.
//! What was acknowledged is there afterwards, once, and a reader who followed the changes has skipped nothing.
//!
//! `tests/run kills` runs it in a short form. `target/release/kills --long` has the counts of the published figures, writes
//! docs/proof.json and goes on where it was left.

use std::path::{Path, PathBuf};

use clap::Parser;
use fastrand::Rng;
use incident_tests::proof::Proof;
use serde_json::Value;

mod app;
#[expect(dead_code, reason = "each suite uses its part")]
#[path = "../../incident-server/tests/support/cluster.rs"]
mod cluster;
mod feed;
mod judge;
mod ledger;
mod load;
mod phones;
mod server;
mod servers;

use app::App;
use judge::{Outcome, count};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// Kill as often as the published figures say, and write down what came of it.
    #[arg(long)]
    long: bool,
    /// How often the server on SQLite is killed.
    #[arg(long)]
    sqlite: Option<u64>,
    /// How often PostgreSQL is killed.
    #[arg(long)]
    postgres: Option<u64>,
    /// How often one of two servers on one database is killed, or the standby that they read from.
    #[arg(long)]
    replicas: Option<u64>,
    /// How often the phone is killed.
    #[arg(long)]
    phones: Option<u64>,
    /// Where it is written down, and read to go on.
    #[arg(long, default_value = "docs/proof.json")]
    results: PathBuf,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Be the app: the file, the server's address, the token.
    #[arg(long, hide = true, num_args = 3)]
    app: Option<Vec<String>>,
}

/// What is killed.
#[derive(Clone, Copy)]
enum Victim {
    Sqlite,
    Postgres,
    Replicas,
    Phones,
}

impl Victim {
    /// What is asked for, how often the short form kills it, how often the long one, and how often in one round: each
    /// round begins with empty databases and ends with a judgement.
    fn counts(self, arguments: &Arguments) -> (Option<u64>, u64, u64, u64) {
        match self {
            Self::Sqlite => (arguments.sqlite, 20, 1_000, 100),
            Self::Postgres => (arguments.postgres, 4, 200, 20),
            Self::Replicas => (arguments.replicas, 8, 500, 50),
            Self::Phones => (arguments.phones, 20, 2_000, 100),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::Replicas => "replicas",
            Self::Phones => "phones",
        }
    }

    async fn round(self, kills: u64, rng: &mut Rng) -> Result<Outcome, Failure> {
        let kills = usize::try_from(kills)?;
        match self {
            Self::Sqlite => servers::sqlite(kills, rng).await,
            Self::Postgres => servers::postgres(kills, rng).await,
            Self::Replicas => servers::replicas(kills, rng).await,
            Self::Phones => phones::phones(kills, rng).await,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if let Some([file, url, token]) = arguments.app.as_deref() {
        return App::open(Path::new(file), url, token)?.live().await;
    }
    let proof = if arguments.long { Some(Proof::new("kills", &arguments.results)?) } else { None };
    let all = [Victim::Sqlite, Victim::Postgres, Victim::Replicas, Victim::Phones];
    let is_chosen = |victim: &Victim| victim.counts(&arguments).0.is_some();
    let any_is_chosen = all.iter().any(is_chosen);
    for victim in all.into_iter().filter(|victim| !any_is_chosen || is_chosen(victim)) {
        let (asked, short, long, round) = victim.counts(&arguments);
        let goal = asked.unwrap_or(if arguments.long { long } else { short });
        kill(victim, goal, round, proof.as_ref(), arguments.seed).await?;
    }
    Ok(())
}

/// Goes on until so many were killed, on this commit if it is written down.
async fn kill(
    victim: Victim,
    goal: u64,
    round: u64,
    proof: Option<&Proof>,
    seed: u64,
) -> Result<(), Failure> {
    let (name, mut so_far) = (victim.name(), Value::Null);
    loop {
        if let Some(proof) = proof {
            so_far = proof.so_far()?.get(name).cloned().unwrap_or_default();
        }
        let done = count(&so_far, "kills");
        if done >= goal {
            return Ok(());
        }
        let outcome = victim.round(round.min(goal - done), &mut Rng::with_seed(seed + done)).await?;
        println!("{name}, {} of {goal}: {outcome}", done + outcome.kills);
        so_far = outcome.added_to(&so_far);
        if let Some(proof) = proof {
            proof.update(|run| run.set(name, so_far.clone()))?;
        }
        outcome.verdict()?;
    }
}
