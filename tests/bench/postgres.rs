//! PostgreSQL: the same load on our server, on pgbench and on a hand-written endpoint, with ten million stored incidents.

use serde_json::{Value, json};
use sqlx::{ConnectOptions, postgres::PgConnectOptions};

use crate::{
    Failure,
    cases::{BOTH, Bench, ON_POSTGRES, ratio},
    database::Kind,
    extent::Extent,
    machine,
};

/// Where it is.
///
/// # Errors
/// Nobody said.
pub(crate) fn cluster() -> Result<PgConnectOptions, Failure> {
    let url = std::env::var("INCIDENT_BENCH_POSTGRES_URL").map_err(
        |_| "there is no PostgreSQL: tests/bench/run starts one, or set INCIDENT_BENCH_POSTGRES_URL",
    )?;
    Ok(url.parse()?)
}

/// All figures of this part.
pub(crate) async fn measure(extent: Extent) -> Result<Value, Failure> {
    let (cluster, stored) = (cluster()?, extent.postgres_stored);
    let ours = server_process(&cluster).await?;
    let mut bench = Bench::fill(Kind::Postgres(Box::new(cluster)), extent, ours, stored).await?;
    let rows = bench.measure(&[BOTH, ON_POSTGRES].concat()).await?;
    Ok(json!({
        "database": bench.kind.version().await?,
        "stored": stored,
        "rounds": extent.rounds,
        "secondsARound": extent.seconds,
        "ratios": {
            "manyToOneReporterOnEmpty": ratio(&rows, "many", "oneReporterOnEmpty"),
            "manyToPgbench": ratio(&rows, "many", "pgbench"),
            "manyToFastify": ratio(&rows, "many", "fastify"),
            "manyToRefused": ratio(&rows, "many", "refused"),
            "newConnectionsToMany": ratio(&rows, "newConnections", "many"),
            "batchesToPgbench": ratio(&rows, "batches", "pgbench"),
            "batchesToOneReporterOnEmpty": ratio(&rows, "batches", "batchesOfOneReporterOnEmpty"),
            "batchesToBulkInsert": ratio(&rows, "batches", "bulkInsert"),
        },
        "rows": rows,
    }))
}

/// The process that starts PostgreSQL's others, if it runs on this machine.
async fn server_process(cluster: &PgConnectOptions) -> Result<Vec<u32>, Failure> {
    let mut connection = cluster.connect().await?;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
    Ok(machine::parent_of(backend.try_into()?).into_iter().collect())
}
