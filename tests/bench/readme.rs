//! Puts the figures into the README, so that they cannot differ from the file they come from.

use std::{fs, path::Path};

use crate::{Failure, results::Results};

const BEGIN: &str = "<!-- figures: written by the benchmark -->\n";
const END: &str = "<!-- end of figures -->";

/// A row: what, of which part, where in it, its unit, how many decimals, and the target.
type Row = (&'static str, &'static str, &'static str, &'static str, usize, &'static str);

const ROWS: &[Row] = &[
    ("SQLite: reports, one a request", "sqlite", "/rows/many/perSecond", "/s", 0, "≥ 20,000"),
    (
        "– times one reporter on an empty database",
        "sqlite",
        "/ratios/manyToOneReporterOnEmpty",
        "×",
        2,
        "≥ 0.8",
    ),
    (
        "– times the same with one report a transaction",
        "sqlite",
        "/ratios/manyToOneATransaction",
        "×",
        1,
        "≥ 15",
    ),
    ("– p99", "sqlite", "/rows/many/p99Ms", "ms", 1, "≤ 15"),
    ("– memory under load", "sqlite", "/rows/many/memoryMib", "MiB", 0, "≤ 100"),
    (
        "– share of the floor, the same requests refused in validation",
        "sqlite",
        "/ratios/manyToRefused",
        "×",
        2,
        "≥ 0.7",
    ),
    ("– the floor", "sqlite", "/rows/refused/perSecond", "/s", 0, "≥ 70,000"),
    ("– tokens under ES256 keys", "sqlite", "/rows/manyWithEs256/perSecond", "/s", 0, ""),
    ("– tokens under RS256 keys", "sqlite", "/rows/manyWithRs256/perSecond", "/s", 0, ""),
    (
        "– a connection for every request, times kept ones",
        "sqlite",
        "/ratios/newConnectionsToMany",
        "×",
        2,
        "≥ 0.6",
    ),
    ("– one reporter on an empty database", "sqlite", "/rows/oneReporterOnEmpty/perSecond", "/s", 0, ""),
    ("SQLite: batches of 100", "sqlite", "/rows/batches/perSecond", "reports/s", 0, "≥ 60,000"),
    (
        "– times one reporter on an empty database",
        "sqlite",
        "/ratios/batchesToOneReporterOnEmpty",
        "×",
        2,
        "≥ 0.8",
    ),
    ("– times bulk insert of the same rows", "sqlite", "/ratios/batchesToBulkInsert", "×", 2, ""),
    ("SQLite: replays", "sqlite", "/rows/replays/perSecond", "/s", 0, ""),
    ("PostgreSQL: reports, one a request", "postgres", "/rows/many/perSecond", "/s", 0, ""),
    (
        "– times one reporter on an empty database",
        "postgres",
        "/ratios/manyToOneReporterOnEmpty",
        "×",
        2,
        "≥ 0.85",
    ),
    ("– times pgbench (upsert and history row, no HTTP)", "postgres", "/ratios/manyToPgbench", "×", 2, "≥ 5"),
    ("– times Fastify and pg, written by hand", "postgres", "/ratios/manyToFastify", "×", 1, "≥ 12"),
    ("– p99", "postgres", "/rows/many/p99Ms", "ms", 1, "≤ 10"),
    (
        "– share of the floor, the same requests refused in validation",
        "postgres",
        "/ratios/manyToRefused",
        "×",
        2,
        "≥ 0.7",
    ),
    ("– the floor", "postgres", "/rows/refused/perSecond", "/s", 0, "≥ 70,000"),
    ("– tokens under ES256 keys", "postgres", "/rows/manyWithEs256/perSecond", "/s", 0, ""),
    ("– tokens under RS256 keys", "postgres", "/rows/manyWithRs256/perSecond", "/s", 0, ""),
    (
        "– a connection for every request, times kept ones",
        "postgres",
        "/ratios/newConnectionsToMany",
        "×",
        2,
        "≥ 0.6",
    ),
    ("– one reporter on an empty database", "postgres", "/rows/oneReporterOnEmpty/perSecond", "/s", 0, ""),
    ("PostgreSQL: batches of 100", "postgres", "/rows/batches/perSecond", "reports/s", 0, "≥ 60,000"),
    (
        "– times one reporter on an empty database",
        "postgres",
        "/ratios/batchesToOneReporterOnEmpty",
        "×",
        2,
        "≥ 0.8",
    ),
    ("– times pgbench", "postgres", "/ratios/batchesToPgbench", "×", 1, "≥ 15"),
    ("– times bulk insert of the same rows", "postgres", "/ratios/batchesToBulkInsert", "×", 2, ""),
    ("PostgreSQL: replays", "postgres", "/rows/replays/perSecond", "/s", 0, "≥ new ones"),
    (
        "SQLite: every list and filter on 10 million incidents, p96 of the slowest",
        "lists",
        "/sqlite/slowestP96Ms",
        "ms",
        1,
        "≤ 20",
    ),
    ("PostgreSQL: the same", "lists", "/postgres/slowestP96Ms", "ms", 1, "≤ 20"),
    ("phone: one report, durable", "phone", "/reportMedianMs", "ms", 2, "≤ 1"),
    ("phone: opening with 10,000 entries", "phone", "/openMs", "ms", 1, "≤ 20"),
    ("phone: 10,000 entries to a local server", "phone", "/deliverSeconds", "s", 2, "≤ 2"),
    ("– watched by another, times not watched", "phone", "/watch/reportWatchedToAlone", "×", 2, "≤ 1.05"),
    (
        "– the slowest of 20 changes by another, until it is shown",
        "phone",
        "/watch/shownSlowestMs",
        "ms",
        0,
        "≤ 1,000",
    ),
    ("phone: library, stripped, x86-64", "phone", "/libraryBytes", "bytes", 0, "≤ 1,700,000"),
    ("through Kotlin: one report, durable", "phone", "/kotlin/report_median_ms", "ms", 2, "≤ 1"),
    ("through Kotlin: opening with 10,000 entries", "phone", "/kotlin/open_10000_median_ms", "ms", 1, "≤ 20"),
    (
        "through Kotlin: 10,000 entries to a local server",
        "phone",
        "/kotlin/deliver_10000_median_s",
        "s",
        2,
        "≤ 2",
    ),
    (
        "the morning after: 100,000 phones come back within 10 s, all settled",
        "morning",
        "/settledSeconds",
        "s",
        0,
        "≤ 60",
    ),
    ("– reports lost", "morning", "/lost", "", 0, "0"),
    ("– reports doubled", "morning", "/doubled", "", 0, "0"),
    ("– memory of the server", "morning", "/serverMemoryMib", "MiB", 0, "≤ 256"),
    ("– a fresh report meanwhile, p99", "morning", "/fresh/p99Ms", "ms", 0, "≤ 500"),
    ("instructions of a durable sync, one a request", "instructions", "/perSync", "", 0, ""),
    ("– in batches of 100", "instructions", "/perSyncInBatchesOf100", "", 0, ""),
    ("ready after start", "sqlite", "/start/readyAfterMs", "ms", 0, "≤ 100"),
    ("memory when idle", "sqlite", "/start/idleMemoryMib", "MiB", 0, "≤ 25"),
];

/// Rewrites the README between its two marks.
pub(crate) fn write(results: &Results) -> Result<(), Failure> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = fs::read_to_string(&path)?;
    let (head, rest) = text.split_once(BEGIN).ok_or("the README has no mark for the figures")?;
    let (_, tail) = rest.split_once(END).ok_or("the README has no mark behind the figures")?;
    fs::write(&path, format!("{head}{BEGIN}{}{END}{tail}", table(results)))?;
    Ok(())
}

fn table(results: &Results) -> String {
    let rows = ROWS.iter().filter_map(|(name, part, pointer, unit, decimals, target)| {
        let figure = results.number(part, pointer)?;
        let commit = results.run(part, "commit");
        Some(format!("| {name} | {} {unit} | {target} | `{commit:.7}` |\n", thousands(figure, *decimals)))
    });
    let rows: String = rows.collect();
    format!(
        "\n{}\n\n| medians | measured | target | at |\n| --- | ---: | ---: | --- |\n{rows}\n![the throughputs as bars](docs/benchmarks.svg)\n\n",
        results.about()
    )
}

fn thousands(figure: f64, decimals: usize) -> String {
    let text = format!("{figure:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let grouped: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    grouped.join(",") + fraction
}
