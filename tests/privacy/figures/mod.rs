//! What was found, for the screen and for docs/privacy.json.

mod table;

use std::{collections::HashMap, fs, path::Path, process::Command};

use incident_core::IncidentId;
use incident_server::Clock;
use serde_json::{Value, json};

use crate::{
    Failure,
    attack::{Guesses, Score},
    canaries::Found,
    evidence::Evidence,
    world::Size,
};

/// The scores of all strategies on one day.
pub(crate) struct Scores {
    truth: HashMap<IncidentId, usize>,
    people: usize,
    lines: Vec<(String, &'static str, Score)>,
}

impl Scores {
    pub(crate) fn new(truth: HashMap<IncidentId, usize>, people: usize) -> Self {
        Self { truth, people, lines: Vec::new() }
    }

    /// Keeps how often a strategy was right, `source` being what it knew.
    pub(crate) fn add(
        &mut self,
        strategy: &str,
        source: &'static str,
        evidence: &Evidence,
        guesses: &Guesses,
    ) {
        let score = Score::new(evidence, guesses, &self.truth);
        println!("  {strategy:<42} {source:<36} {:>6.2} % of {}", score.percent(), score.tried);
        self.lines.push((strategy.to_owned(), source, score));
    }

    /// The best of the strategies whose name begins with this, in percent.
    pub(crate) fn best(&self, strategy: &str) -> f64 {
        let found = self.lines.iter().filter(|(name, ..)| name.starts_with(strategy));
        found.map(|(.., score)| score.percent()).fold(0.0, f64::max)
    }

    /// How often a guess at random is right, in percent.
    #[expect(clippy::cast_precision_loss, reason = "thousands")]
    pub(crate) fn chance(&self) -> f64 {
        100.0 / self.people as f64
    }

    pub(crate) fn json(&self) -> Value {
        let line = |(strategy, source, score): &(String, &str, Score)| {
            json!({
                "strategy": strategy, "knowing": source, "tried": score.tried, "right": score.right,
                "percent": rounded(score.percent()),
            })
        };
        json!({ "chancePercent": self.chance(), "strategies": self.lines.iter().map(line).collect::<Vec<_>>() })
    }
}

impl Found {
    pub(crate) fn json(&self) -> Value {
        json!({
            "canaries": self.canaries, "bytesSearched": self.bytes, "namesTokensOrRefusedTextsFound": self.leaked,
            "reportTextsInLogsOrMetrics": self.told,
        })
    }
}

/// Writes `privacy.json` and the table of `privacy.md`; what was measured of version 0.1 stays.
pub(crate) fn write(docs: &Path, size: Size, days: &[Value], canaries: &[Value]) -> Result<(), Failure> {
    let (file, page) = (docs.join("privacy.json"), docs.join("privacy.md"));
    let before: Value =
        fs::read(&file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let results = json!({
        "measuredAt": Clock::system().now().to_string(),
        "commit": commit(),
        "people": size.people, "incidents": size.incidents, "seed": size.seed,
        "days": days,
        "canaries": canaries,
        "version01": before["version01"],
    });
    fs::write(&file, format!("{results:#}\n"))?;
    table::put(&page, &results)
}

/// Of the working tree; `unknown` outside of one.
fn commit() -> String {
    let said = Command::new("git").args(["describe", "--always", "--dirty", "--abbrev=12"]).output();
    let said = said.ok().filter(|said| said.status.success());
    said.map_or_else(|| "unknown".to_owned(), |said| String::from_utf8_lossy(&said.stdout).trim().to_owned())
}

fn rounded(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}
