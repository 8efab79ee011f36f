//! What long runs came to, in `docs/proof.json`: an object with a list for each part, and in the list one run for each
//! commit.
//!
//! A run adds what it counted as it goes: where it is cut short the file has what it did, and the next one goes on there.
//! What was counted on another commit stays under its name, and counts nothing on this one. `tests/tools/proof` makes a
//! page of it, and writes parts for those that are not in Rust.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Duration,
};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Map, Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What no run is about, though it is in the repository: what the runs themselves write.
const RESULTS: [&str; 2] = [":!docs/proof.json", ":!docs/proof.md"];

/// One part of the file, on the commit that is checked out.
#[derive(Debug, Clone)]
pub struct Proof {
    file: PathBuf,
    part: &'static str,
    commit: String,
}

/// What came of one part on one commit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run(Map<String, Value>);

impl Proof {
    /// The part of this name.
    ///
    /// # Errors
    /// This is no git repository.
    pub fn new(part: &'static str, file: &Path) -> Result<Self, Failure> {
        Ok(Self { file: file.to_owned(), part, commit: commit()? })
    }

    /// What this commit has done for the part up to now.
    ///
    /// # Errors
    /// The file is there and cannot be read.
    pub fn so_far(&self) -> Result<Run, Failure> {
        let all = self.read()?;
        let runs = all.get(self.part).and_then(Value::as_array);
        let own = runs.and_then(|runs| runs.iter().find(|run| run["commit"] == self.commit));
        Ok(Run(own.and_then(Value::as_object).cloned().unwrap_or_default()))
    }

    /// Changes what this commit has done for the part, in the file, too; others may write at the same time.
    ///
    /// # Errors
    /// The file cannot be read or written; then it is as it was.
    pub fn update(&self, change: impl FnOnce(&mut Run)) -> Result<Run, Failure> {
        let folder = self.file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let lock = fs::File::open(folder)?;
        flock(&lock, FlockOperation::LockExclusive)?;
        let mut run = self.so_far()?;
        change(&mut run);
        run.set("commit", self.commit.as_str());
        run.set("machine", machine());
        let mut all = self.read()?;
        let runs = all.entry(self.part).or_insert_with(|| json!([]));
        let runs =
            runs.as_array_mut().ok_or_else(|| format!("{}: {} is no list", self.place(), self.part))?;
        let own = Value::Object(run.0.clone());
        match runs.iter_mut().find(|run| run["commit"] == self.commit) {
            Some(before) => *before = own,
            None => runs.push(own),
        }
        let mut next = tempfile::NamedTempFile::new_in(folder)?;
        std::io::Write::write_all(&mut next, (serde_json::to_string_pretty(&all)? + "\n").as_bytes())?;
        next.persist(&self.file)?;
        Ok(run)
    }

    fn read(&self) -> Result<Map<String, Value>, Failure> {
        match fs::read(&self.file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Map::new()),
            read => serde_json::from_slice(&read?)
                .map_err(|error| format!("{} is not what runs write: {error}", self.place()).into()),
        }
    }

    fn place(&self) -> String {
        self.file.display().to_string()
    }
}

impl Run {
    /// A number; 0 where there is none yet.
    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Adds to a number.
    pub fn add(&mut self, name: &str, more: u64) {
        self.set(name, self.count(name) + more);
    }

    /// Adds to a list.
    pub fn append<T: Into<Value>>(&mut self, name: &str, more: impl IntoIterator<Item = T>) {
        let mut list = self.0.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        list.extend(more.into_iter().map(Into::into));
        self.set(name, list);
    }

    /// Whatever else there is to say.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// What was said under this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

/// What this process has used of the processors, threads that ended included (proc(5), `/proc/pid/stat`).
pub fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

fn machine() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']).to_owned();
    format!("{model}, {} cores", thread::available_parallelism().map_or(1, usize::from))
}

/// The commit that is checked out, and whether something is not as it is there.
fn commit() -> Result<String, Failure> {
    let name = said("git", &["describe", "--always", "--abbrev=40"])?;
    let root = said("git", &["rev-parse", "--show-toplevel"])?;
    let status = ["-C", &root, "status", "--porcelain", "--untracked-files=no", "--", "."];
    let is_changed = !said("git", &[&status[..], &RESULTS].concat())?.is_empty();
    Ok(if is_changed { name + "-dirty" } else { name })
}

fn said(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(commit: &str, folder: &tempfile::TempDir) -> Proof {
        Proof { file: folder.path().join("proof.json"), part: "kills", commit: commit.to_owned() }
    }

    #[test]
    fn a_run_goes_on_where_it_was_cut_short_and_another_commits_counts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (old, new) = (of("old", &folder), of("new", &folder));
        old.update(|run| run.add("kills", 5)).unwrap();
        new.update(|run| run.add("kills", 1)).unwrap();
        new.update(|run| {
            run.add("kills", 2);
            run.append("seeds", [7]);
        })
        .unwrap();

        let found = new.so_far().unwrap();

        assert_eq!((found.count("kills"), found.get("seeds")), (3, Some(&json!([7]))));
        assert_eq!(old.so_far().unwrap().count("kills"), 5);
    }

    #[test]
    fn a_file_that_is_something_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let proof = of("new", &folder);
        fs::write(&proof.file, "something else").unwrap();

        assert!(proof.update(|run| run.add("kills", 1)).is_err());
        assert_eq!(fs::read(&proof.file).unwrap(), b"something else");
    }
}
