//! Killed at every commit and at any other moment: what was acknowledged is there, and the queue goes on.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Seek, SeekFrom, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Child, Stdio},
};

use incident_mobile_ffi::outbox::{Change, EntryState, Reached, RepairStep};
use support::{NOW_MS, example, open, options};
use tempfile::TempDir;

const SIGABRT: i32 = 6;

fn victim(file: &Path, stop: &str) -> Child {
    example("reporter_to_kill", file)
        .arg(stop)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example reporter_to_kill is built")
}

/// What the victim was told before it aborted there.
fn abort_at(file: &Path, stop: &str) -> String {
    let mut child = victim(file, stop);
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(SIGABRT), "{stop}: it was never reached");
    told
}

/// Everything acknowledged must be in the file, unless it was sent and may have been settled long ago, or was being
/// discarded; answers how many lines there were.
fn check(file: &Path, told: &str, spoilt: bool) -> usize {
    let mut outbox = open(file, "alice", options(), NOW_MS).unwrap();
    assert!(spoilt || outbox.recovery().is_none(), "a kill spoils no file");
    let entries = outbox.entries(None, i64::MAX, None).unwrap();
    assert!(entries.iter().all(|entry| entry.state != EntryState::Sending));
    let keys: BTreeSet<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(keys.len(), entries.len());
    let may_be_gone: BTreeSet<&str> = told
        .lines()
        .filter_map(|line| line.strip_prefix("sent ").or_else(|| line.strip_prefix("discarding ")))
        .collect();
    for line in told.lines() {
        let (what, key) = line.split_once(' ').unwrap();
        let Some(entry) = entries.iter().find(|entry| entry.key.to_string() == key) else {
            assert!(may_be_gone.contains(key), "{line}: lost");
            continue;
        };
        assert!(what != "cancelled" || entry.payload.cancellation_reason.is_some(), "{line}: lost");
    }
    outbox.next_upload(NOW_MS).unwrap();
    told.lines().count()
}

/// Spoils the first page, so that the file is no database any more.
fn spoil(file: &Path) {
    let mut file = fs::OpenOptions::new().write(true).open(file).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file.write_all(&[42; 100]).unwrap();
}

#[test]
fn an_abort_at_any_of_the_first_moments_loses_nothing_that_was_acknowledged() {
    let mut acknowledged = 0;
    for moment in 1..=60 {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("outbox.db");
        let told = abort_at(&file, &moment.to_string());
        acknowledged += check(&file, &told, false);
    }
    assert!(acknowledged > 200, "{acknowledged}");
}

#[test]
fn an_abort_before_or_after_the_commit_of_any_change_loses_nothing_that_was_acknowledged() {
    for change in Change::ALL.iter().copied().filter(|change| *change != Change::Salvage) {
        for moment in [Reached::BeforeCommit(change), Reached::AfterCommit(change)] {
            let folder = TempDir::new().unwrap();
            let file = folder.path().join("outbox.db");
            let told = abort_at(&file, &moment.to_string());
            check(&file, &told, false);
        }
    }
}

#[test]
fn an_abort_at_any_step_of_a_repair_loses_nothing_that_was_acknowledged() {
    let commits = [Reached::BeforeCommit(Change::Salvage), Reached::AfterCommit(Change::Salvage)];
    let steps = RepairStep::ALL.iter().copied().map(Reached::Repair);
    for stop in commits.into_iter().chain(steps).map(|moment| moment.to_string()) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("outbox.db");
        let told = abort_at(&file, "prune,before commit");
        spoil(&file);
        assert_eq!(abort_at(&file, &stop), "", "{stop}: it dies while it opens");
        assert!(check(&file, &told, true) > 4, "{stop}");
    }
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_acknowledged() {
    let mut rng = fastrand::Rng::with_seed(11);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("outbox.db");
    let mut told = String::new();
    for _ in 0..12 {
        let mut child = victim(&file, "0");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..rng.usize(1..60) {
            lines.read_line(&mut told).unwrap();
        }
        for _ in 0..rng.usize(0..20_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        lines.read_to_string(&mut told).unwrap();
        child.wait().unwrap();
        check(&file, &told, false);
    }
    assert!(told.lines().count() > 100);
}
