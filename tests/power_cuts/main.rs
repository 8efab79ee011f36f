//! Power cuts. Every write, sync, truncation, renaming and removal of the phone's file and of the server's database is
//! recorded while the real code runs. Of each moment before a sync every file is built that a power cut may leave: what
//! was synced, and any part of what was not. The real code opens it again, and what was acknowledged has to be there.
//!
//! `tests/run power_cuts` tries some thousands; `target/release/power_cuts phone --images N` has the long form, which
//! writes docs/proof.json and goes on where it was left; `--image A:B` builds one image again.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

mod calls;
mod chance;
#[path = "../../incident-server/tests/support/cluster.rs"]
#[expect(dead_code, reason = "the traps use more of it")]
mod cluster;
mod damage;
mod disk;
mod hooks;
mod images;
mod phone;
mod plan;
mod postgres;
mod record;
mod recorder;
mod requests;
mod runs;
mod server;
mod serving;
mod watched_store;

use images::Subject;
use phone::Phone;
use server::Server;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// Whose power is cut.
    subject: Name,
    /// Open so many images in all, and write down what came of them.
    #[arg(long)]
    images: Option<u64>,
    /// Without any of these: open so many images of the first recording, all over it.
    #[arg(long, default_value_t = 2_000)]
    some: u64,
    /// Hold so many answers in all against the syncs that cover them, and write down how many they were.
    #[arg(long)]
    answers: Option<u64>,
    /// Where that is written, and read to go on.
    #[arg(long, default_value = "docs/proof.json")]
    results: PathBuf,
    /// Build one image and open it: the number of its recording, a colon, its number in it.
    #[arg(long, value_parser = place)]
    image: Option<(u64, u64)>,
    /// How many at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Phone,
    Server,
    /// Of PostgreSQL the order of answers and flushes is looked at, and nothing is built.
    Postgres,
}

fn place(text: &str) -> Result<(u64, u64), String> {
    let (recording, image) = text.split_once(':').ok_or("such as 3:1204")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text}: {error}"));
    Ok((number(recording)?, number(image)?))
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let subject: &dyn Subject = match arguments.subject {
        Name::Phone => &Phone,
        Name::Server => &Server,
        Name::Postgres => {
            return runs::answers("Postgres", arguments.answers, &arguments.results, postgres::answers);
        }
    };
    if let Some((recording, image)) = arguments.image {
        return runs::show(subject, recording, image);
    }
    if arguments.images.or(arguments.answers).is_none() {
        return runs::short(subject, arguments.some, arguments.jobs);
    }
    runs::answers(
        subject.names().1,
        Some(arguments.answers.unwrap_or(10_000)),
        &arguments.results,
        |wanted| subject.answers(wanted),
    )?;
    runs::long(subject, arguments.images.unwrap_or(0), arguments.jobs, &arguments.results)
}
