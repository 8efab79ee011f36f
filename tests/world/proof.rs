//! What was run, how often, and on what, in a file that the next run goes on with.

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{
    Failure,
    history::Ground,
    many::{Until, live},
};

/// After so many histories the file is written.
const PORTION: u64 = 5_000;

/// Goes on until there are so many histories of this commit. What another commit lived through stays in the file under
/// its name, and counts nothing here.
pub(crate) fn live_and_write(
    ground: &Ground,
    histories: u64,
    jobs: usize,
    file: &Path,
) -> Result<(), Failure> {
    let commit = said("git", &["describe", "--always", "--dirty", "--abbrev=40"])?;
    let mut results: Value = match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => json!({}),
    };
    loop {
        let runs = results["world"].as_array().cloned().unwrap_or_default();
        let before = runs.iter().find(|run| run["commit"] == commit).cloned();
        let done = before.as_ref().map_or(0, |run| number(&run["histories"]));
        if done >= histories {
            return Ok(());
        }
        let first = before.as_ref().map_or(0, |run| number(&run["firstSeed"]));
        let portion = PORTION.min(histories - done);
        let lived = live(ground, first + done, Until::Seed(first + done + portion), jobs);
        println!("{lived}");
        let run = run(&commit, before.as_ref(), first, &lived);
        let others = runs.into_iter().filter(|run| run["commit"] != commit);
        results["world"] = others.chain([run]).collect();
        fs::write(file, serde_json::to_string_pretty(&results)? + "\n")?;
        lived.verdict(ground)?;
    }
}

/// What a commit has lived through, with this portion.
fn run(commit: &str, before: Option<&Value>, first: u64, lived: &crate::many::Lived) -> Value {
    let so_far = |name: &str| before.map_or(0, |run| number(&run[name]));
    let histories = so_far("histories") + lived.histories;
    let processor_ms = so_far("processorMs") + u64::try_from(lived.processor_time.as_millis()).unwrap_or(0);
    let mut broken =
        before.map_or_else(Vec::new, |run| run["brokenSeeds"].as_array().cloned().unwrap_or_default());
    broken.extend(lived.broken.iter().map(|(seed, ..)| json!(seed)));
    json!({
        "commit": commit,
        "firstSeed": first,
        "lastSeed": (first + histories).saturating_sub(1),
        "histories": histories,
        "brokenSeeds": broken,
        "processorMs": processor_ms,
        "perProcessorSecond": histories * 1000 / processor_ms.max(1),
        "machine": machine(),
    })
}

fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']).to_owned();
    format!("{model}, {} cores", std::thread::available_parallelism().map_or(1, usize::from))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn said(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
