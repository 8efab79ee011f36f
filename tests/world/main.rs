//! A world in a seed: phones, people, a network, a server and its database, on one virtual clock and with one source of
//! chance. The outboxes, the router, the commit path and the stores are the real ones; what is between them loses,
//! doubles, delays and cuts, and what runs is killed. At the end of each history every promise must have been kept.
//!
//! `tests/run world` lives through histories for some seconds. `target/release/world --histories N` has the long form,
//! which writes docs/proof.json and goes on where it was left; `--seed N` tells one history.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Parser;

mod answers;
mod calm;
mod chance;
mod database;
mod disk;
mod doubt;
mod failing;
mod gate;
mod history;
mod judge;
mod many;
mod memory;
mod oracle;
mod people;
mod phone;
mod processors;
mod proof;
mod reader;
mod sending;
mod server;
mod shrink;
mod spare;
mod sqlite;
mod steps;
mod store;
mod time;
mod unsynced;
mod users;
mod wire;
mod world;

use history::{Ground, Plan};
use many::Until;

/// Which promise was broken, and how.
type Broken = String;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// Tell the history of this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// And take these of its steps only.
    #[arg(long, value_delimiter = ',', requires = "seed")]
    steps: Option<Vec<usize>>,
    /// Live through so many histories in all, and write down what came of them.
    #[arg(long)]
    histories: Option<u64>,
    /// Where that is written, and read to go on.
    #[arg(long, default_value = "docs/proof.json")]
    results: PathBuf,
    /// Live through histories for so many seconds.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// The first seed of either.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// How many at once.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// How many broken ones are enough to end with.
    #[arg(long, default_value_t = many::ENOUGH)]
    enough: usize,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    memory::give_to_sqlite();
    processors::wake_without_haste();
    let ground = Ground::new()?;
    if let Some(seed) = arguments.seed {
        let steps = arguments.steps.map(|steps| steps.into_iter().collect());
        let history = ground.run(&Plan { seed, steps, is_told: true });
        println!("fingerprint {:016x}", history.fingerprint);
        return Ok(history.verdict?);
    }
    if let Some(histories) = arguments.histories {
        return proof::live_and_write(
            &ground,
            arguments.first,
            histories,
            arguments.jobs,
            &arguments.results,
        );
    }
    the_same_seed_is_the_same_history(&ground)?;
    let until = Until::Moment(Instant::now() + Duration::from_secs(arguments.seconds));
    let lived = many::live(&ground, arguments.first, until, arguments.jobs, arguments.enough);
    println!("{lived}");
    lived.verdict(&ground)
}

/// What happens depends on nothing but the seed: not on what was before, and not on connections that were put aside.
fn the_same_seed_is_the_same_history(ground: &Ground) -> Result<(), Failure> {
    let again: Vec<_> = (0..20).map(|seed| (seed, ground.run(&Plan::whole(seed)))).collect();
    for (seed, one) in again {
        ground.leave_places();
        let two = ground.run(&Plan::whole(seed));
        if one != two {
            return Err(format!("seed {seed} made two histories: {one:?}, {two:?}").into());
        }
    }
    Ok(())
}
