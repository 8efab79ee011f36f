//! Killed at every commit and at any other moment: what was acknowledged is there, and the queue goes on.

#![allow(missing_docs)]

mod support;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use incident_mobile_ffi::outbox::EntryState;
use support::{NOW_MS, open, options};
use tempfile::TempDir;

/// Cargo builds the examples of a package for its tests, beside the folder of the tests.
fn victim(file: &Path, moment: i64) -> Child {
    let program = std::env::current_exe().unwrap();
    let program: PathBuf = program.parent().unwrap().parent().unwrap().join("examples/reporter_to_kill");
    Command::new(program)
        .arg(file)
        .arg(moment.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the example reporter_to_kill is built")
}

/// Everything acknowledged must be in the file; answers how many lines there were.
fn check(file: &Path, told: &str) -> usize {
    let mut outbox = open(file, "alice", options(), NOW_MS).unwrap();
    assert!(outbox.recovery().is_none(), "a kill hurts no file");
    let entries = outbox.entries(None, usize::MAX).unwrap();
    assert!(entries.iter().all(|entry| entry.state != EntryState::Sending));
    let keys: BTreeSet<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
    assert_eq!(keys.len(), entries.len());
    for line in told.lines() {
        let (what, key) = line.split_once(' ').unwrap();
        let entry = entries.iter().find(|entry| entry.key.to_string() == key);
        let entry = entry.unwrap_or_else(|| panic!("{line}: lost"));
        assert!(what != "cancelled" || entry.payload.cancellation_reason.is_some(), "{line}: lost");
    }
    outbox.next_upload(NOW_MS).unwrap();
    told.lines().count()
}

#[test]
fn an_abort_at_every_commit_loses_nothing_that_was_acknowledged() {
    let mut acknowledged = 0;
    for moment in 1..=40 {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("outbox.db");
        let mut child = victim(&file, moment);
        let mut told = String::new();
        child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(!child.wait().unwrap().success());
        acknowledged += check(&file, &told);
    }
    assert!(acknowledged > 200, "{acknowledged}");
}

#[test]
fn kill_9_at_any_moment_loses_nothing_that_was_acknowledged() {
    let mut rng = fastrand::Rng::with_seed(11);
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("outbox.db");
    let mut told = String::new();
    for _ in 0..12 {
        let mut child = victim(&file, 0);
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
        check(&file, &told);
    }
    assert!(told.lines().count() > 100);
}
