//! A file that was damaged, and what a repair leaves beside it.

use std::{
    fs,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

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
