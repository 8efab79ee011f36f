//! A server on a throw-away database, and phones that go offline, report, call off, lose answers and come back.
//!
//! `cargo run --release -p incident-tests --bin demo` prints an address and a token for the board. At the end it
//! says what was sent, how often, and that each incident exists once; it fails when that is not so.

mod check;
mod network;
mod phone;
mod server;
mod tally;

use std::{
    error::Error,
    io::{IsTerminal, Write},
    net::SocketAddr,
    sync::Arc,
    thread,
    time::Duration,
};

use clap::Parser;
use incident_mobile_ffi::outbox::Entry;
use incident_server::Clock;
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::{network::Network, phone::Phone, server::Server, tally::Tally};

type Failure = Box<dyn Error + Send + Sync>;

/// The phones, the server and the board, alive.
#[derive(Debug, Parser)]
struct Cli {
    /// How long the phones report
    #[arg(long, default_value_t = 60)]
    seconds: u16,
    /// How many phones there are
    #[arg(long, default_value_t = 12)]
    phones: u16,
    /// Where the server listens; any free port where this one is taken
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Keep the server up at the end, until Ctrl-C
    #[arg(long)]
    stay: bool,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let cli = Cli::parse();
    let folder = TempDir::with_prefix("incident-demo-")?;
    let server = Server::start(&folder, cli.listen).await?;
    println!("The board: {}/\nA token to paste there:\n\n{}\n", server.url, server.reader_token());
    let tally = Arc::new(Tally::default());
    let entries = {
        let progress = tokio::spawn(show(Arc::clone(&tally)));
        let entries = run_phones(&cli, &server, &folder, &tally).await?;
        progress.abort();
        entries
    };
    let verified = check::verify(&server, &entries, tally.anonymous()).await?;
    println!("\r{tally}\n\n{}", tally.summary());
    println!(
        "The server holds {} incidents, {} of them cancelled: each report exists once, as its owner left it.",
        verified.incidents, verified.cancelled
    );
    if cli.stay {
        println!("The board stays up until Ctrl-C.");
        tokio::signal::ctrl_c().await?;
    }
    server.stop().await
}

/// Lets every phone live on a thread of its own; ends when each has delivered everything.
async fn run_phones(
    cli: &Cli,
    server: &Server,
    folder: &TempDir,
    tally: &Arc<Tally>,
) -> Result<Vec<Entry>, Failure> {
    let end_ms = Clock::system().now().unix_ms() + i64::from(cli.seconds) * 1000;
    let mut threads = Vec::new();
    for number in 1..=cli.phones {
        let reporter = format!("phone-{number:02}");
        let network = Network::new(Handle::current(), &server.url, server.reporter_token(&reporter))?;
        let file = folder.path().join(format!("{reporter}.sqlite"));
        let phone = Phone::new(&file, &reporter, network, number.into(), Arc::clone(tally))?;
        threads.push(thread::spawn(move || phone.live(end_ms)));
    }
    let joined = tokio::task::spawn_blocking(|| -> Result<Vec<Entry>, Failure> {
        let mut entries = Vec::new();
        for thread in threads {
            entries.extend(thread.join().map_err(|_| "a phone panicked")??);
        }
        Ok(entries)
    });
    joined.await?
}

/// The progress line: over itself on a terminal, a line every five seconds elsewhere.
async fn show(tally: Arc<Tally>) {
    let terminal = std::io::stdout().is_terminal();
    let mut beat = tokio::time::interval(Duration::from_millis(if terminal { 500 } else { 5_000 }));
    loop {
        beat.tick().await;
        let mut out = std::io::stdout().lock();
        // Nobody need be looking.
        let _ = if terminal { write!(out, "\r{tally}\x1b[K") } else { writeln!(out, "{tally}") };
        let _ = out.flush();
    }
}
