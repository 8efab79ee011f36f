//! Measures what the README claims, in one run on one machine, beside peers, and writes it to one file.
//!
//! `bench` measures everything; `bench sqlite` only that part. Figures are medians of rounds; what is compared is
//! measured in turns, so that a machine whose speed drifts slows both alike.

mod chart;
mod phone;
mod postgres;
mod readme;
mod results;
mod sqlite;
mod subject;
mod summary;
mod wrk;

use results::Results;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|name| name == part);
    let mut results = Results::open()?;
    if wants("sqlite") {
        results.record("sqlite", &sqlite::measure().await?)?;
    }
    if wants("phone") {
        results.record("phone", &phone::measure().await?)?;
    }
    if wants("postgres") {
        results.record("postgres", &postgres::measure().await?)?;
    }
    chart::draw(&results)?;
    readme::write(&results)?;
    println!("figures are in {}", results.path().display());
    Ok(())
}
