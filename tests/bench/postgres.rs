//! PostgreSQL: the same load on our server, on pgbench and on a hand-written endpoint, in turns.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    Failure,
    results::median,
    subject::{Peer, Subject, Target},
    summary::{median_of, summary},
    wrk::{Load, Measured, load},
};

const ROUNDS: usize = 3;
const SECONDS: u32 = 6;
const STORED: u32 = 10_000_000;
const FIRST_MS: i64 = 1_795_392_000_000;
const ROUND_MS: i64 = 3_600_000;
const NEW: Load = Load { payloads: 1, first_ms: FIRST_MS, cycle: 0, seconds: SECONDS };

/// All figures of this part, on the server behind `INCIDENT_BENCH_POSTGRES_URL`.
pub(crate) async fn measure() -> Result<Value, Failure> {
    let url = std::env::var("INCIDENT_BENCH_POSTGRES_URL").map_err(|_| "start it with tests/bench/run")?;
    let cluster = Cluster { options: url.parse()? };
    Ok(json!({
        "connections": 64,
        "rounds": ROUNDS,
        "secondsARound": SECONDS,
        "server": cluster.version().await?,
        "peers": peers(&cluster).await?,
        "batchesOf100": batches(&cluster).await?,
        "replays": replays(&cluster).await?,
        "stored": stored(&cluster).await?,
    }))
}

/// A running PostgreSQL in which databases can be made.
struct Cluster {
    options: PgConnectOptions,
}

impl Cluster {
    async fn version(&self) -> Result<String, Failure> {
        let settings =
            "SELECT version() || '; fsync ' || current_setting('fsync') || '; synchronous_commit ' ||
            current_setting('synchronous_commit')";
        Ok(sqlx::query_scalar(settings).fetch_one(&mut self.connect("postgres").await?).await?)
    }

    async fn connect(&self, database: &str) -> Result<PgConnection, Failure> {
        Ok(self.options.clone().database(database).connect().await?)
    }

    /// Makes a database of this name anew, empty.
    async fn renew(&self, database: &str) -> Result<(), Failure> {
        let mut connection = self.connect("postgres").await?;
        for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("{statement} {database}")))
                .execute(&mut connection)
                .await?;
        }
        sqlx::raw_sql("CHECKPOINT").execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    fn url(&self, database: &str) -> String {
        let (user, host, port) =
            (self.options.get_username(), self.options.get_host(), self.options.get_port());
        format!("postgres://{user}@{host}:{port}/{database}")
    }

    /// Our server on a database of this name.
    async fn serve(&self, data: &Path, database: &str) -> Result<Subject, Failure> {
        // No server makes an id secret for a database that others may use.
        incident_server::secrets::read_or_make(&data.join("id.secret"))?;
        Subject::start(data, &["--database-url", &self.url(database)]).await
    }
}

async fn peers(cluster: &Cluster) -> Result<Value, Failure> {
    let (mut ours, mut theirs, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        ours.push(on_empty(cluster, NEW).await?);
        bare.push(pgbench(cluster).await?);
        theirs.push(fastify(cluster).await?);
        println!(
            "postgres, new incidents, round {round}: {:.0}/s; pgbench {:.0}/s; Fastify {:.0}/s",
            ours[round - 1].requests_per_second,
            bare[round - 1],
            theirs[round - 1].requests_per_second
        );
    }
    let our_median = median_of(&ours, |m| m.requests_per_second);
    Ok(json!({
        "new": summary(&ours, 1),
        "pgbench": { "incidentsPerSecond": median(bare.clone()).round(), "everyRound": bare },
        "fastify": summary(&theirs, 1),
        "timesPgbench": our_median / median(bare),
        "timesFastify": our_median / median_of(&theirs, |m| m.requests_per_second),
    }))
}

/// Transactions a second of 64 clients that need no HTTP, no token and no rules.
async fn pgbench(cluster: &Cluster) -> Result<f64, Failure> {
    cluster.renew("incident_bench").await?;
    let data = TempDir::new()?;
    cluster.serve(data.path(), "incident_bench").await?.stop().await?;
    let mut connection = cluster.connect("incident_bench").await?;
    sqlx::raw_sql("CREATE SEQUENCE moments CACHE 100").execute(&mut connection).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers/pgbench.sql");
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-c", "64", "-j", "1", "-T", &SECONDS.to_string(), "-f"])
        .arg(script)
        .arg(cluster.url("incident_bench"))
        .output()
        .await?;
    let report = String::from_utf8_lossy(&output.stdout);
    let tps =
        report.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok());
    tps.ok_or_else(|| format!("pgbench: {report}{}", String::from_utf8_lossy(&output.stderr)).into())
}

async fn fastify(cluster: &Cluster) -> Result<Measured, Failure> {
    cluster.renew("incident_bench").await?;
    let data = TempDir::new()?;
    let subject = Subject::start(data.path(), &[]).await?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers/fastify/server.mjs");
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let _process = Command::new("node")
        .arg(script)
        .args([&port, &cluster.url("incident_bench")])
        .arg(data.path().join("hs256.secret"))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let peer = Peer { url: format!("http://127.0.0.1:{port}"), token: subject.token().to_owned() };
    while reqwest::get(&peer.url).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    load(&peer, NEW).await
}

async fn batches(cluster: &Cluster) -> Result<Value, Failure> {
    let mut measured = Vec::new();
    for round in 1..=ROUNDS {
        let one = on_empty(cluster, Load { payloads: 100, ..NEW }).await?;
        println!(
            "postgres, batches of 100, round {round}: {:.0} incidents/s",
            one.requests_per_second * 100.0
        );
        measured.push(one);
    }
    Ok(summary(&measured, 100))
}

async fn replays(cluster: &Cluster) -> Result<Value, Failure> {
    let mut measured = Vec::new();
    for round in 1..=ROUNDS {
        cluster.renew("incident_bench").await?;
        let data = TempDir::new()?;
        let subject = cluster.serve(data.path(), "incident_bench").await?;
        let again = Load { cycle: 1000, ..NEW };
        load(&subject, Load { seconds: 1, ..again }).await?;
        measured.push(load(&subject, again).await?);
        println!("postgres, replays, round {round}: {:.0}/s", measured[round - 1].requests_per_second);
        subject.stop().await?;
    }
    Ok(summary(&measured, 1))
}

/// New incidents on a database with ten million, and on an empty one, in turns.
async fn stored(cluster: &Cluster) -> Result<Value, Failure> {
    cluster.renew("incident_full").await?;
    let data = TempDir::new()?;
    cluster.serve(data.path(), "incident_full").await?.stop().await?;
    println!("postgres: storing {STORED} incidents");
    let mut connection = cluster.connect("incident_full").await?;
    for statements in [include_str!("fill_postgres.sql"), "VACUUM ANALYZE", "CHECKPOINT"] {
        sqlx::raw_sql(statements).execute(&mut connection).await?;
    }
    connection.close().await?;
    let (mut full, mut empty) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let subject = cluster.serve(data.path(), "incident_full").await?;
        let first_ms = FIRST_MS + ROUND_MS * i64::try_from(round)?;
        full.push(load(&subject, Load { first_ms, ..NEW }).await?);
        subject.stop().await?;
        empty.push(on_empty(cluster, NEW).await?);
        println!("postgres, {STORED} stored, round {round}: {:.0}/s", full[round - 1].requests_per_second);
    }
    Ok(json!({
        "incidents": STORED,
        "new": summary(&full, 1),
        "newWhenEmpty": summary(&empty, 1),
        "timesEmpty": median_of(&full, |m| m.requests_per_second) / median_of(&empty, |m| m.requests_per_second),
    }))
}

async fn on_empty(cluster: &Cluster, what: Load) -> Result<Measured, Failure> {
    cluster.renew("incident_bench").await?;
    let data = TempDir::new()?;
    let subject = cluster.serve(data.path(), "incident_bench").await?;
    let measured = load(&subject, what).await?;
    subject.stop().await?;
    Ok(measured)
}
