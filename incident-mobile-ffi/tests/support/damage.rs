//! A file that was damaged, and what a repair leaves beside it.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use incident_core::IdempotencyKey;

use super::Phone;

/// Reports 300 entries, closes, and lets `damage` loose on the file.
#[track_caller]
pub(crate) fn corrupt(damage: impl FnOnce(&mut Vec<u8>)) -> Phone {
    let mut phone = Phone::new();
    for n in 0..300 {
        phone.report(&format!("ward-{n}"));
    }
    drop(phone.outbox.take());
    let mut bytes = fs::read(phone.path()).unwrap();
    damage(&mut bytes);
    fs::write(phone.path(), bytes).unwrap();
    // As after an unclean end.
    fs::write(phone.folder.path().join("outbox.db-suspect"), b"").unwrap();
    phone
}

/// How many corrupt files were moved aside.
#[track_caller]
pub(crate) fn corrupt_files(phone: &Phone) -> usize {
    let names = fs::read_dir(phone.folder.path()).unwrap().map(|file| file.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("-corrupt-")).count()
}

/// A file beside the outbox's own.
pub(crate) fn beside(file: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", file.display()))
}

/// Spoils the head of the database and of its copies in the log, while nobody writes.
#[track_caller]
pub(crate) fn spoil_head(file: &Path) {
    let repair = fs::OpenOptions::new().write(true).open(beside(file, "-repair")).unwrap();
    rustix::fs::flock(&repair, rustix::fs::FlockOperation::LockExclusive).unwrap();
    fs::OpenOptions::new().write(true).open(file).unwrap().write_all_at(&[42; 100], 0).unwrap();
    // It has no log before its first change.
    let Ok(log) = fs::OpenOptions::new().read(true).write(true).open(beside(file, "-wal")) else { return };
    let mut number = [0; 4];
    let mut at = 32;
    while log.read_exact_at(&mut number, at).is_ok() {
        if number == 1_u32.to_be_bytes() {
            log.write_all_at(&[42; 100], at + 24).unwrap();
        }
        at += 24 + 4096;
    }
}

/// A folder as it is after a process was killed, with `count` reports in the log only.
pub(crate) fn killed(count: usize) -> (Phone, Vec<IdempotencyKey>) {
    left_with(count, &["outbox.db", "outbox.db-wal", "outbox.db-shm"])
}

/// The same after a power cut that the index of the log did not outlive.
pub(crate) fn cut_off(count: usize) -> (Phone, Vec<IdempotencyKey>) {
    left_with(count, &["outbox.db", "outbox.db-wal"])
}

fn left_with(count: usize, files: &[&str]) -> (Phone, Vec<IdempotencyKey>) {
    let mut living = Phone::new();
    let keys = (0..count).map(|n| living.report(&format!("ward-{n}")).key).collect();
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    for name in files {
        fs::copy(living.folder.path().join(name), phone.folder.path().join(name)).unwrap();
    }
    phone.now_ms = living.now_ms;
    (phone, keys)
}

/// Flips a bit of the log.
pub(crate) fn flip(phone: &Phone, at: impl FnOnce(usize) -> usize) {
    let log = phone.folder.path().join("outbox.db-wal");
    let mut bytes = fs::read(&log).unwrap();
    let at = at(bytes.len());
    bytes[at] ^= 4;
    fs::write(&log, bytes).unwrap();
}

/// Waits until two have opened one of the files that keep openings apart.
#[track_caller]
pub(crate) fn until_another_opens(file: &Path) {
    let locks = ["-opening", "-users"].map(|suffix| beside(file, suffix));
    let opened = |lock: &PathBuf| {
        let open = fs::read_dir("/proc/self/fd")
            .unwrap()
            .filter_map(|file| fs::read_link(file.unwrap().path()).ok());
        open.filter(|open| open == lock).count()
    };
    let begun = Instant::now();
    while !locks.iter().any(|lock| opened(lock) > 1) {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody else opens it");
        thread::yield_now();
    }
}
