//! The figures as bars, for the README.

use plotters::prelude::*;

use crate::{
    Failure,
    results::{Results, docs},
};

const WIDTH: u32 = 760;
const BAR: i32 = 22;
const GAP: i32 = 12;
const LEFT: i32 = 330;
const RIGHT: i32 = 90;

/// A bar: what, which part of the results, where in it, in which colour.
type Bar = (&'static str, &'static str, &'static str, RGBColor);

const OURS: RGBColor = RGBColor(24, 99, 160);
const PEER: RGBColor = RGBColor(150, 150, 150);

const BARS: &[Bar] = &[
    ("PostgreSQL, batches of 100", "postgres", "/rows/batches/perSecond", OURS),
    ("PostgreSQL, one report a request", "postgres", "/rows/many/perSecond", OURS),
    ("pgbench, upsert and history row, no HTTP", "postgres", "/rows/pgbench/perSecond", PEER),
    ("Fastify and pg, by hand", "postgres", "/rows/fastify/perSecond", PEER),
    ("SQLite, batches of 100", "sqlite", "/rows/batches/perSecond", OURS),
    ("SQLite, one report a request", "sqlite", "/rows/many/perSecond", OURS),
    ("SQLite, one report a transaction", "sqlite", "/rows/oneATransaction/perSecond", PEER),
];

/// Draws every bar whose figure was measured.
pub(crate) fn draw(results: &Results) -> Result<(), Failure> {
    let bars: Vec<_> = (BARS.iter())
        .filter_map(|(name, part, pointer, colour)| Some((*name, results.number(part, pointer)?, *colour)))
        .collect();
    let most = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let height = u32::try_from(bars.len())? * u32::try_from(BAR + GAP)? + 40;
    let path = docs().join("benchmarks.svg");
    let area = SVGBackend::new(&path, (WIDTH, height)).into_drawing_area();
    area.fill(&WHITE)?;
    area.draw(&Text::new(
        "reports a second, committed to disk (10,000 reporters, 64 connections, 2 cores)",
        (10, 10),
        ("sans-serif", 14),
    ))?;
    for (row, (name, figure, colour)) in bars.into_iter().enumerate() {
        let top = 34 + i32::try_from(row)? * (BAR + GAP);
        #[expect(clippy::cast_possible_truncation, reason = "of pixels")]
        let right = LEFT + (figure / most * f64::from(i32::try_from(WIDTH)? - LEFT - RIGHT)) as i32;
        area.draw(&Rectangle::new([(LEFT, top), (right, top + BAR)], colour.filled()))?;
        area.draw(&Text::new(name, (10, top + 4), ("sans-serif", 14)))?;
        area.draw(&Text::new(format!("{figure:.0}"), (right + 6, top + 4), ("sans-serif", 14)))?;
    }
    area.present()?;
    Ok(())
}
