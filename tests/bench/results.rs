//! The one file of figures: what was measured, when, on what, of which commit.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Map, Value, json};

use crate::Failure;

/// The figures so far, one section a part.
pub(crate) struct Results {
    path: PathBuf,
    sections: Map<String, Value>,
}

impl Results {
    /// Reads what earlier runs of other parts left.
    pub(crate) fn open() -> Result<Self, Failure> {
        let path = docs().join("benchmarks.json");
        let sections = match fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)?,
            Err(_) => Map::new(),
        };
        Ok(Self { path, sections })
    }

    /// Replaces a part's section and writes the file.
    pub(crate) fn record(&mut self, part: &str, figures: &Value) -> Result<(), Failure> {
        let section = json!({ "figures": figures, "run": run() });
        self.sections.insert(part.to_owned(), section);
        fs::write(&self.path, serde_json::to_string_pretty(&self.sections)? + "\n")?;
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// One sentence on where the figures come from.
    pub(crate) fn about(&self) -> String {
        let newest = self.sections.keys().max_by_key(|part| self.run(part, "at"));
        let of = |name: &str| newest.map_or_else(String::new, |part| self.run(part, name));
        format!(
            "Measured at the commits beside them, the last on {}, on {} cores of a shared machine ({}, {}), the load generator \
             beside the server: 64 connections, 10,000 reporters with tokens of their own at 1,000 places, a tenth of the \
             requests a cancellation, a tenth a repeat, on 5 (SQLite) and 10 (PostgreSQL) million stored incidents of the \
             same spread; token checked, history written, synced to disk. What has no row was not measured under this load \
             yet. All figures with every round: [benchmarks.json](docs/benchmarks.json). To repeat: `tests/bench/run`.",
            of("at"),
            of("cores"),
            of("processor"),
            of("kernel")
        )
    }

    /// What is written down of the run of a part, such as its `commit`.
    pub(crate) fn run(&self, part: &str, name: &str) -> String {
        let found = self.sections.get(part).and_then(|section| section.pointer(&format!("/run/{name}")));
        found
            .map_or_else(String::new, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }

    /// A number of a part, by its JSON Pointer below `figures`.
    pub(crate) fn number(&self, part: &str, pointer: &str) -> Option<f64> {
        self.sections.get(part)?.get("figures")?.pointer(pointer)?.as_f64()
    }
}

/// Where the project's pages are.
pub(crate) fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The middle one; of an even number the lower of the two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}

fn run() -> Value {
    json!({
        "at": said("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "commit": said("git", &["rev-parse", "HEAD"]),
        "changesNotCommitted": !said("git", &["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs"]).is_empty(),
        "kernel": said("uname", &["-sr"]),
        "processor": processor(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "rustc": said("rustc", &["--version"]),
        "wrk": said("sh", &["-c", "wrk -v 2>&1 | head -n 1 | cut -d' ' -f1,2"]),
    })
}

fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "unknown".to_owned(), |(_, name)| name.to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
