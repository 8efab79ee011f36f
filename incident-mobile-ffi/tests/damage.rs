//! A file that is damaged is repaired, and what can be read of it is kept.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::fs;
use std::path::Path;

use incident_mobile_ffi::outbox::{Draft, EntryState, Options, OutboxError};
use support::{
    NOW_MS, Phone,
    damage::{corrupt, corrupt_files},
    draft, open, options,
};

const DAY_MS: i64 = 24 * 3_600_000;

#[test]
fn a_file_without_its_head_is_moved_aside_and_every_other_row_saved() {
    let mut phone = corrupt(|bytes| bytes[..4096].fill(0xa5));
    phone.restart();
    let recovery = phone.outbox().recovery().unwrap().clone();
    assert_eq!((recovery.saved, recovery.lost), (300, 0));
    assert!(Path::new(&recovery.moved_to).exists());
    assert_eq!(phone.outbox().summary().unwrap().pending, 300);
    phone.report("life goes on");
}

#[test]
fn rows_on_a_lost_page_are_counted_and_the_others_saved() {
    let mut phone = corrupt(|bytes| {
        let leaf = bytes
            .chunks(4096)
            .skip(1)
            .position(|page| page[0] == 0x0d && page.windows(5).any(|text| text == b"ward-"))
            .unwrap()
            + 1;
        bytes[leaf * 4096..(leaf + 1) * 4096].fill(0);
    });
    phone.restart();
    let recovery = phone.outbox().recovery().unwrap().clone();
    assert!(recovery.lost > 0 && recovery.saved > 200, "{recovery:?}");
    assert_eq!(recovery.saved + recovery.lost, 300);
}

#[test]
fn a_cut_file_and_a_file_of_noise_open_again() {
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2),
        |bytes: &mut Vec<u8>| {
            let mut rng = fastrand::Rng::with_seed(3);
            bytes.fill_with(|| rng.u8(..));
        },
    ] {
        let mut phone = corrupt(damage);
        phone.restart();
        assert!(phone.outbox().recovery().is_some());
        phone.report("life goes on");
    }
}

#[test]
fn damage_that_only_shows_in_use_is_repaired_in_use() {
    let mut phone = corrupt(|bytes| {
        let holds_rows = |page: &&mut [u8]| page[0] == 0x0d && page.windows(5).any(|text| text == b"ward-");
        for page in bytes.chunks_mut(4096).skip(1).filter(holds_rows) {
            page[0] = 0x77;
        }
    });
    fs::remove_file(phone.folder.path().join("outbox.db-suspect")).unwrap();
    phone.restart();
    assert!(matches!(phone.outbox().entries(None, 1000, None), Err(OutboxError::Corrupt)));
    assert_eq!(phone.outbox().entries(None, 1000, None).unwrap(), []);
    let recovery = phone.outbox().recovery().unwrap().clone();
    assert_eq!((recovery.saved, recovery.lost), (0, 300));
}

#[test]
fn damage_of_what_the_outbox_keeps_for_itself_is_repaired_at_the_opening() {
    let mut phone = corrupt(|bytes| {
        for page in bytes.chunks_mut(4096).skip(1).filter(|page| page[0] == 0x0d) {
            page[0] = 0x77;
        }
    });
    fs::remove_file(phone.folder.path().join("outbox.db-suspect")).unwrap();
    phone.restart();
    let recovery = phone.outbox().recovery().unwrap().clone();
    assert_eq!((recovery.saved, recovery.lost), (0, 300));
    phone.report_anonymously("life goes on");
}

#[test]
fn two_corrupt_files_are_kept() {
    let mut phone = Phone::new();
    for _ in 0..4 {
        drop(phone.outbox.take());
        fs::write(phone.path(), [b'x'; 9000]).unwrap();
        phone.now_ms += 1;
        phone.restart();
        assert!(phone.outbox().recovery().is_some());
    }
    assert_eq!(corrupt_files(&phone), 2);
    phone.now_ms += 31 * DAY_MS;
    phone.restart();
    assert_eq!(corrupt_files(&phone), 0);
}

#[test]
fn a_repair_that_was_killed_at_the_end_is_ended_at_the_next_opening() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    drop(phone.outbox.take());
    fs::rename(phone.path(), phone.folder.path().join("outbox.db-saved")).unwrap();
    fs::write(phone.folder.path().join("outbox.db-wal"), b"the log of the corrupt file").unwrap();
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn what_another_repaired_meanwhile_refuses_the_report_and_takes_the_next() {
    let mut phone = Phone::new();
    phone.report("a");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let moved = phone.folder.path().join("moved.db");
    fs::rename(phone.path(), &moved).unwrap();
    let _ = fs::remove_file(phone.folder.path().join("outbox.db-wal"));
    let _ = fs::remove_file(phone.folder.path().join("outbox.db-shm"));
    drop(open(&phone.path(), "alice", options(), NOW_MS).unwrap());
    assert!(matches!(other.report(&draft("b"), phone.now_ms), Err(OutboxError::Corrupt)));
    let key = other.report(&draft("c"), phone.now_ms).unwrap().key;
    assert_eq!(other.entry(key).unwrap().state, EntryState::Pending);
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Pending, "it is in the new file");
}

#[test]
fn a_deleted_file_is_not_said_to_be_repaired() {
    let mut phone = Phone::new();
    fs::remove_file(phone.path()).unwrap();
    for _ in 0..2 {
        let refused = phone.outbox().report(&draft("w"), NOW_MS);
        assert!(matches!(refused, Err(OutboxError::Unavailable(_))), "{refused:?}");
    }
    assert!(!phone.path().exists());
}

#[test]
fn reports_of_every_length_are_saved_those_that_no_page_holds_too() {
    let mut phone = Phone::new();
    let of_length = |characters: usize| Draft {
        room_number: Some("\u{1f9ef}".repeat(64)),
        cancellation_reason: Some("\u{1f9ef}".repeat(characters)),
        ..draft(&"\u{1f9ef}".repeat(128))
    };
    let reports: Vec<_> = (1..=1000)
        .step_by(9)
        .map(|characters| phone.outbox().report(&of_length(characters), NOW_MS).unwrap())
        .collect();
    drop(phone.outbox.take());
    let mut bytes = fs::read(phone.path()).unwrap();
    bytes[..100].fill(42);
    fs::write(phone.path(), bytes).unwrap();
    phone.restart();
    assert_eq!(phone.outbox().recovery().unwrap().lost, 0);
    assert!(reports.iter().all(|report| phone.entry(report.key).payload == report.payload));
}
