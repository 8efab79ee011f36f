//! A file that is damaged before the power is cut: the cuts fall into its repair.

use std::{collections::BTreeMap, fs};

use fastrand::Rng;

use crate::{
    disk::Disk,
    images::{Opened, look, memory, put},
    phone::{FILE, Phone, close},
    record::{Files, Life},
};

/// How often a place is looked for where the damage shows and nothing is lost by it.
const TRIES: usize = 20;
const LOG: &str = "outbox-wal";

/// The files of a phone, damaged, and what its repair saves, which is all.
pub(crate) fn damaged(phone: &Phone, life: &Life, rng: &mut Rng) -> Option<(Files, Opened)> {
    let mut disk = Disk::new(&life.base);
    life.events.iter().for_each(|event| disk.pass(event));
    let (whole, state) = (disk.all(), life.states.last()?);
    (0..TRIES).find_map(|_| {
        let files = if rng.bool() { without_head(&whole, life.now_ms)? } else { with_bad_frame(&whole, rng) };
        let opened = look(phone, &files, life.now_ms).ok()?;
        (opened.is_repaired && opened.state == *state).then_some((files, opened))
    })
}

/// Closed, and then the first bytes are others.
fn without_head(whole: &Files, now_ms: i64) -> Option<Files> {
    let folder = memory().ok()?;
    put(whole, folder.path()).ok()?;
    close(folder.path(), now_ms).ok()?;
    let mut files = BTreeMap::from([(FILE.to_owned(), fs::read(folder.path().join(FILE)).ok()?)]);
    files.get_mut(FILE)?.iter_mut().take(100).for_each(|byte| *byte = 42);
    Some(files)
}

/// A byte of the log is another one.
fn with_bad_frame(whole: &Files, rng: &mut Rng) -> Files {
    let mut files = whole.clone();
    if let Some(log) = files.get_mut(LOG).filter(|log| !log.is_empty()) {
        let at = rng.usize(..log.len());
        log[at] ^= 1;
    }
    files
}
