//! Rounds in which a phone is killed while it reports, calls off and sends, and a server in between; answers are lost.

use std::{path::Path, process::Stdio, time::Instant};

use fastrand::Rng;
use incident_server::auth::READ_SCOPE;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
    sync::watch,
};

use crate::{
    Failure,
    app::App,
    feed::Reader,
    judge::{Outcome, judge, lost},
    ledger::Ledger,
    server::Server,
};

/// After how many kills of the phone the server is killed, too.
const SERVER_EVERY: usize = 10;
/// The most that the phone may do before it is killed.
const MOST_LINES: usize = 60;

/// The phone is killed, over and over, on one file.
pub(crate) async fn phones(kills: usize, rng: &mut Rng) -> Result<Outcome, Failure> {
    let folder = TempDir::new()?;
    let file = folder.path().join("outbox.db");
    let mut server = Server::start(&folder.path().join("server")).await?;
    let (ledger, began) = (Ledger::default(), Instant::now());
    for kill in 1..=kills {
        run_and_kill(&file, &server, rng.usize(1..MOST_LINES), &ledger).await?;
        if kill % SERVER_EVERY == 0 {
            server = server.kill_and_start().await?;
        }
    }
    let took = began.elapsed();
    server = drain(&file, server).await?;
    let (acknowledged, silence) = ledger.close()?;
    let reader = Reader::new(vec![server.url().to_owned()], server.token("responder", Some(READ_SCOPE))?)?;
    let all = reader.all_once(|all| lost(&acknowledged, all) == 0).await?;
    let last = watch::Sender::new(all.last().map(|change| change.cursor.clone()));
    let followed = reader.follow(&ledger, last.subscribe()).await;
    Ok(judge(&acknowledged, &all, &followed).of(kills, silence, took))
}

/// Lets the phone do so many things, and kills it in the midst of the next.
async fn run_and_kill(file: &Path, server: &Server, lines: usize, ledger: &Ledger) -> Result<(), Failure> {
    let mut app = Command::new(std::env::current_exe()?)
        .arg("--app")
        .args([file.as_os_str(), server.url().as_ref(), server.token("alice", None)?.as_ref()])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut output = BufReader::new(app.stdout.take().ok_or("no output")?);
    for _ in 0..lines {
        let mut line = String::new();
        if output.read_line(&mut line).await? == 0 {
            return Err("the app ended by itself".into());
        }
        note(&line, ledger);
    }
    app.kill().await?;
    let mut rest = String::new();
    output.read_to_string(&mut rest).await?;
    rest.lines().for_each(|line| note(line, ledger));
    Ok(())
}

/// A report that the app was told of, or that it was told is called off.
fn note(line: &str, ledger: &Ledger) {
    if let Some((what, location)) = line.trim_end().split_once(' ') {
        ledger.acknowledge(location, what == "cancelled");
    }
}

/// Fair weather, but for a server that is killed a few more times.
async fn drain(file: &Path, mut server: Server) -> Result<Server, Failure> {
    let mut app = App::open(file, server.url(), &server.token("alice", None)?)?;
    for _ in 0..5 {
        app.send_some(3).await?;
        server = server.kill_and_start().await?;
    }
    app.send_all().await?;
    Ok(server)
}
