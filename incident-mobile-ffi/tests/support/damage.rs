//! A file that was damaged, and what a repair leaves beside it.

use std::fs;

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
