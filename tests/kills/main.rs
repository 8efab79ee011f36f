//! An app that is killed 200 times while it reports, calls off and sends, a server that is killed in between, answers
//! that are lost: what was acknowledged arrives, and once.
//!
//! `tests/run kills` runs it in a short form; `target/release/kills` has the long one.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use clap::Parser;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
};

mod app;
mod server;

use app::App;
use server::Server;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// After how many kills of the app the server is killed, too.
const SERVER_EVERY: usize = 10;
/// The most that the app may do before it is killed.
const MOST_LINES: usize = 60;

#[derive(Parser)]
struct Arguments {
    /// How often the app is killed.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Be the app: the file, the server's address, the token.
    #[arg(long, hide = true, num_args = 3)]
    app: Option<Vec<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    if let Some([file, url, token]) = arguments.app.as_deref() {
        return App::open(Path::new(file), url, token)?.live().await;
    }
    let folder = TempDir::new()?;
    let file = folder.path().join("outbox.db");
    let mut server = Server::start(&folder.path().join("server"), "127.0.0.1:0").await?;
    let mut rng = fastrand::Rng::with_seed(arguments.seed);
    let mut told = String::new();
    for kill in 1..=arguments.kills {
        run_and_kill(&file, &server, rng.usize(1..MOST_LINES), &mut told).await?;
        if kill % SERVER_EVERY == 0 {
            server = server.kill_and_start().await?;
        }
    }
    server = drain(&file, server).await?;
    judge(arguments.kills, &acknowledged(&told), &server.stored().await?)
}

/// Lets the app do so many things, and kills it in the midst of the next.
async fn run_and_kill(file: &Path, server: &Server, lines: usize, told: &mut String) -> Result<(), Failure> {
    let mut app = Command::new(std::env::current_exe()?)
        .arg("--app")
        .args([file.as_os_str(), server.url().as_ref(), server.token("alice")?.as_ref()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = BufReader::new(app.stdout.take().ok_or("no output")?);
    for _ in 0..lines {
        if output.read_line(told).await? == 0 {
            return Err("the app ended by itself".into());
        }
    }
    app.kill().await?;
    output.read_to_string(told).await?;
    Ok(())
}

/// Fair weather, but for a server that is killed a few more times.
async fn drain(file: &Path, mut server: Server) -> Result<Server, Failure> {
    let mut app = App::open(file, server.url(), &server.token("alice")?)?;
    for _ in 0..5 {
        app.send_some(3).await?;
        server = server.kill_and_start().await?;
    }
    app.send_all().await?;
    Ok(server)
}

/// The reports that the app was told of, and whether it was also told that they are called off.
fn acknowledged(told: &str) -> BTreeMap<&str, bool> {
    let mut acknowledged = BTreeMap::new();
    for (what, location) in told.lines().filter_map(|line| line.split_once(' ')) {
        *acknowledged.entry(location).or_insert(false) |= what == "cancelled";
    }
    acknowledged
}

fn judge(
    kills: usize,
    acknowledged: &BTreeMap<&str, bool>,
    stored: &[(String, String)],
) -> Result<(), Failure> {
    let mut status_of = BTreeMap::new();
    let doubled =
        stored.iter().filter(|(at, status)| status_of.insert(at.as_str(), status.as_str()).is_some());
    let doubled = doubled.count();
    let lost = acknowledged.keys().filter(|location| !status_of.contains_key(*location)).count();
    let not_called_off = acknowledged
        .iter()
        .filter(|(location, is_cancelled)| **is_cancelled && status_of.get(*location) != Some(&"Cancelled"))
        .count();
    println!(
        "{kills} kills: {} reports acknowledged, {} on the server, {lost} lost, {doubled} doubled, {not_called_off} \
         cancellations lost",
        acknowledged.len(),
        stored.len()
    );
    if (lost, doubled, not_called_off) == (0, 0, 0) && !acknowledged.is_empty() {
        Ok(())
    } else {
        Err("the promise is broken".into())
    }
}
