//! Puts the figures into the README, so that they cannot differ from the file they come from.

use std::{fs, path::Path};

use crate::{Failure, results::Results};

const BEGIN: &str = "<!-- figures: written by the benchmark -->\n";
const END: &str = "<!-- end of figures -->";

/// A row: what, of which part, where in it, its unit, how many decimals, and the target.
type Row = (&'static str, &'static str, &'static str, &'static str, usize, &'static str);

const ROWS: &[Row] = &[
    (
        "SQLite: new incidents, one a request",
        "sqlite",
        "/groupCommit/new/incidentsPerSecond",
        "/s",
        0,
        "≥ 20,000",
    ),
    (
        "– times the same with one report a transaction",
        "sqlite",
        "/groupCommit/timesOneATransaction",
        "×",
        1,
        "≥ 4",
    ),
    ("– p99", "sqlite", "/groupCommit/new/p99Ms", "ms", 1, "≤ 10"),
    ("– memory under load", "sqlite", "/groupCommit/memoryUnderLoadMib", "MiB", 0, "≤ 100"),
    ("SQLite: batches of 100", "sqlite", "/batchesOf100/incidentsPerSecond", "incidents/s", 0, "≥ 60,000"),
    ("SQLite: replays", "sqlite", "/replays/incidentsPerSecond", "/s", 0, ""),
    ("SQLite: with 5 million stored, times empty", "sqlite", "/stored/timesEmpty", "×", 2, "≥ 0.9"),
    ("PostgreSQL: new incidents, one a request", "postgres", "/peers/new/incidentsPerSecond", "/s", 0, ""),
    ("– times pgbench (upsert and history row, no HTTP)", "postgres", "/peers/timesPgbench", "×", 2, "≥ 2.0"),
    ("– times Fastify and pg, written by hand", "postgres", "/peers/timesFastify", "×", 1, "≥ 5"),
    ("– p99", "postgres", "/peers/new/p99Ms", "ms", 1, "≤ 10"),
    (
        "PostgreSQL: batches of 100",
        "postgres",
        "/batchesOf100/incidentsPerSecond",
        "incidents/s",
        0,
        "≥ 60,000",
    ),
    ("PostgreSQL: replays", "postgres", "/replays/incidentsPerSecond", "/s", 0, "≥ new ones"),
    ("PostgreSQL: with 10 million stored, times empty", "postgres", "/stored/timesEmpty", "×", 2, "≥ 0.9"),
    ("phone: one report, durable", "phone", "/reportMedianMs", "ms", 2, "≤ 1"),
    ("phone: opening with 10,000 entries", "phone", "/openMs", "ms", 1, "≤ 20"),
    ("phone: 10,000 entries to a local server", "phone", "/deliverSeconds", "s", 2, "≤ 2"),
    ("phone: library, stripped, x86-64", "phone", "/libraryBytes", "bytes", 0, "≤ 1,600,000"),
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
        Some(format!("| {name} | {} {unit} | {target} |\n", thousands(figure, *decimals)))
    });
    let rows: String = rows.collect();
    format!(
        "\n{}\n\n| medians | measured | target |\n| --- | ---: | ---: |\n{rows}\n![the throughputs as bars](docs/benchmarks.svg)\n\n",
        results.about()
    )
}

fn thousands(figure: f64, decimals: usize) -> String {
    let text = format!("{figure:.decimals$}");
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let grouped: Vec<_> = whole.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    grouped.join(",") + fraction
}
