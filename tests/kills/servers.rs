//! Rounds in which servers and databases are killed under load.

use std::time::Instant;

use fastrand::Rng;
use tempfile::TempDir;
use tokio::task::block_in_place;

use crate::{Failure, cluster::Cluster, judge::Outcome, load::Load, server::Server};

/// The most acknowledgements between two kills.
const MOST_BETWEEN: usize = 40;
/// After so many kills of PostgreSQL the server on it is killed, too.
const SERVER_EVERY: usize = 4;

/// The server on SQLite is killed.
pub(crate) async fn sqlite(kills: usize, rng: &mut Rng) -> Result<Outcome, Failure> {
    let folder = TempDir::new()?;
    let mut server = Server::start(folder.path()).await?;
    let load = Load::begin(&[server.url().to_owned()], |sub, scope| server.token(sub, scope))?;
    let began = Instant::now();
    for _ in 0..kills {
        load.ledger.more(rng.usize(1..MOST_BETWEEN)).await?;
        server = server.kill_and_start().await?;
    }
    end(load, kills, began).await
}

/// PostgreSQL is killed with all its processes, and now and then the server on it.
pub(crate) async fn postgres(kills: usize, rng: &mut Rng) -> Result<Outcome, Failure> {
    let (folder, cluster) = (TempDir::new()?, block_in_place(Cluster::start));
    let mut server = Server::start_on(folder.path(), &cluster.url(), None).await?;
    let load = Load::begin(&[server.url().to_owned()], |sub, scope| server.token(sub, scope))?;
    let began = Instant::now();
    for kill in 1..=kills {
        load.ledger.more(rng.usize(1..MOST_BETWEEN)).await?;
        if kill % SERVER_EVERY == 0 {
            server = server.kill_and_start().await?;
            load.ledger.more(1).await?;
        }
        block_in_place(|| {
            cluster.kill();
            cluster.resume();
        });
    }
    end(load, kills, began).await
}

/// What others stand in for is killed: one of two servers on one database, or the standby that both read from.
pub(crate) async fn replicas(kills: usize, rng: &mut Rng) -> Result<Outcome, Failure> {
    let folder = TempDir::new()?;
    let primary = block_in_place(Cluster::start);
    let standby = block_in_place(|| primary.standby());
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    let first = Server::start_on(&one, &primary.url(), Some(&standby.url())).await?;
    let second = first.beside(&other, &one).await?;
    let mut servers = [first, second];
    let urls = servers.each_ref().map(|server| server.url().to_owned());
    let load = Load::begin(&urls, |sub, scope| servers[0].token(sub, scope))?;
    let began = Instant::now();
    for _ in 0..kills {
        load.ledger.more(rng.usize(1..MOST_BETWEEN)).await?;
        let [first, second] = servers;
        servers = match rng.u8(0..3) {
            0 => [first.kill_and_start().await?, second],
            1 => [first, second.kill_and_start().await?],
            _ => {
                block_in_place(|| {
                    standby.kill();
                    standby.resume();
                });
                [first, second]
            }
        };
    }
    end(load, kills, began).await
}

async fn end(load: Load, kills: usize, began: Instant) -> Result<Outcome, Failure> {
    load.ledger.more(1).await?;
    let (outcome, silence) = load.end().await?;
    Ok(outcome.of(kills, silence, began.elapsed()))
}
