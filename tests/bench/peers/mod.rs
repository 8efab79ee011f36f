//! Others that do the same job on the same tables.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use crate::{
    Failure,
    crowd::Crowd,
    database::Database,
    wrk::{CONNECTIONS, MANY, Measured},
};

/// What a first report of a client of pgbench may call off or repeat: those are later than any other.
const BEFORE_THE_FIRST: u32 = 200;

/// Transactions a second of 64 clients that need no HTTP, no token and no rules.
pub(crate) async fn pgbench(database: &Database, first_ms: i64, seconds: u32) -> Result<Measured, Failure> {
    let url = database.postgres_url().ok_or("pgbench needs PostgreSQL")?;
    let clients = CONNECTIONS.to_string();
    let output = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-j", "1", "-c", &clients, "-T", &seconds.to_string()])
        .args(["-D", &format!("first={first_ms}"), "-D", &format!("sent={BEFORE_THE_FIRST}"), "-f"])
        .arg(folder().join("pgbench.sql"))
        .arg(url)
        .output()
        .await
        .map_err(|error| format!("cannot run pgbench (apt-get install postgresql): {error}"))?;
    let report = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let tps = report.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next());
    match tps.and_then(|tps| tps.parse().ok()) {
        Some(per_second) if output.status.success() && !errors.contains("ERROR") => {
            Ok(Measured { per_second, ..Measured::default() })
        }
        _ => {
            let first: Vec<_> = errors.lines().take(3).collect();
            Err(format!("pgbench: {}", first.join("\n")).into())
        }
    }
}

/// A hand-written endpoint.
pub(crate) async fn fastify(
    database: &Database,
    crowd: &Crowd,
    first_ms: i64,
    seconds: u32,
) -> Result<Measured, Failure> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port().to_string();
    let mut process = Command::new("node")
        .arg(folder().join("fastify/server.mjs"))
        .args([&port, &database.postgres_url().ok_or("Fastify needs PostgreSQL")?])
        .arg(crowd.keys())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("cannot run node (apt-get install nodejs): {error}"))?;
    let url = format!("http://127.0.0.1:{port}");
    while reqwest::get(&url).await.is_err() {
        if let Some(status) = process.try_wait()? {
            return Err(
                format!("the Fastify peer ended with {status}; has tests/bench/run installed it?").into()
            );
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let measured = MANY.send(&url, crowd, first_ms, seconds).await?;
    process.kill().await?;
    Ok(measured)
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/peers")
}
