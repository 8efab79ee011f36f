//! What partitions cost: the same loads on tables that are whole and on tables in ten partitions and more, in turns.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    Failure,
    crowd::Crowd,
    database::{Database, Kind},
    extent::Extent,
    machine, postgres,
    results::median,
    wrk::{Load, MANY},
};

/// The servers make the partitions of each half-year from then on.
const SINCE: &str = "2022-07-01";
/// 2026-11-23T00:00:00Z, in the partition of that half-year.
const FIRST_MS: i64 = 1_795_392_000_000;
/// Each load has a time of its own.
const SPAN_MS: i64 = 1_200_000;

/// A load and the flags of the server that takes it.
const LOADS: [(&str, Load, &[&str]); 3] = [
    ("singles", MANY, &["--max-commit-batch", "1"]),
    ("grouped", MANY, &[]),
    // With room for all of them on a machine however busy.
    ("batches", Load { payloads: 100, ..MANY }, &["--max-in-flight", "10000"]),
];

/// All figures of this part.
pub(crate) async fn measure(extent: Extent) -> Result<Value, Failure> {
    let kind = Kind::Postgres(Box::new(postgres::cluster()?));
    let whole = kind.renew("incident_whole").await?;
    let partitioned = kind.renew("incident_partitioned").await?;
    partitioned.partition(SINCE).await?;
    until_made(&partitioned).await?;
    let cost = cost(extent, &whole, &partitioned).await?;
    Ok(json!({
        "database": kind.version().await?,
        "rounds": extent.rounds,
        "secondsARound": extent.seconds,
        "loadAverage": machine::load_average()?,
        "partitions": partitioned.partitions().await?,
        "writes": cost,
    }))
}

/// Lets a server make the partitions up to now and beyond.
async fn until_made(database: &Database) -> Result<(), Failure> {
    let subject = database.serve(&[]).await?;
    let metrics = format!("{}/metrics", subject.url());
    while reqwest::get(&metrics).await?.text().await?.contains("partitions_end_timestamp_seconds 0\n") {
        sleep(Duration::from_millis(20)).await;
    }
    subject.stop().await
}

/// Each load on both, one after the other, in every round.
async fn cost(extent: Extent, whole: &Database, partitioned: &Database) -> Result<Value, Failure> {
    let crowd = Crowd::hs256()?;
    let mut measured: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    let mut loads = 0;
    for round in 1..=extent.rounds {
        for (name, load, flags) in LOADS {
            let mut both = [0.0; 2];
            for turn in 0..2 {
                // Who is first changes from round to round.
                let which = (turn + round) % 2;
                let database = [whole, partitioned][which];
                database.checkpoint().await?;
                let subject = database.serve(&[&crowd.flags(), flags].concat()).await?;
                let first_ms = FIRST_MS + SPAN_MS * loads;
                loads += 1;
                both[which] = load.send(subject.url(), &crowd, first_ms, extent.seconds).await?.per_second;
                subject.stop().await?;
            }
            println!("round {round}, {name}: {:.0}/s whole, {:.0}/s partitioned", both[0], both[1]);
            measured.entry(name).or_default().push((both[0], both[1]));
        }
    }
    Ok(measured.into_iter().map(|(name, rounds)| (name.to_owned(), summary(&rounds))).collect())
}

/// The medians, and by how much a write on partitions takes longer.
fn summary(rounds: &[(f64, f64)]) -> Value {
    let whole = median(rounds.iter().map(|(whole, _)| whole.round()).collect());
    let partitioned = median(rounds.iter().map(|(_, partitioned)| partitioned.round()).collect());
    json!({
        "wholePerSecond": whole,
        "partitionedPerSecond": partitioned,
        "costOfPartitions": (whole / partitioned * 100.0).round() / 100.0,
        "everyRound": rounds.iter().map(|(one, other)| [one.round(), other.round()]).collect::<Vec<_>>(),
    })
}
