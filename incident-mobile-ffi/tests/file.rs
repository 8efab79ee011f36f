//! The file itself: who may open, read and write it, and what that costs.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use incident_mobile_ffi::outbox::{EntryState, NextUpload, Options, OutboxError, UploadResult, WaitReason};
use support::{
    NOW_MS, Phone, created,
    damage::{corrupt, corrupt_files},
    draft, open, options,
};

/// Makes every leaf that holds one of the first hundred reports unreadable, of a file that is closed.
fn spoil_the_oldest(phone: &Phone) {
    let mut bytes = fs::read(phone.path()).unwrap();
    let is_old =
        |page: &&mut [u8]| page[0] == 0x0d && page.windows(9).any(|text| text.starts_with(b"ward-1\""));
    let spoilt = bytes.chunks_mut(4096).filter(is_old).map(|page| page[0] = 0x77).count();
    assert_eq!(spoilt, 1);
    fs::write(phone.path(), bytes).unwrap();
}

#[test]
fn ten_entries_are_listed_without_reading_the_others() {
    let mut phone = corrupt(|_| ());
    spoil_the_oldest(&phone);
    fs::remove_file(phone.folder.path().join("outbox.db-suspect")).unwrap();
    phone.restart();
    assert_eq!(phone.outbox().entries(None, 10, None).unwrap().len(), 10);
    assert_eq!(phone.outbox().entries(Some(EntryState::Pending), 10, None).unwrap().len(), 10);
    assert_eq!(phone.outbox().entries(Some(EntryState::Quarantined), 10, None).unwrap(), []);
    assert_eq!(phone.outbox().summary().unwrap().pending, 300);
    assert!(phone.outbox().recovery().is_none(), "nobody came across it");
}

#[test]
fn an_opening_beside_another_process_does_not_read_the_whole_file() {
    let mut phone = corrupt(|_| ());
    spoil_the_oldest(&phone);
    fs::remove_file(phone.folder.path().join("outbox.db-suspect")).unwrap();
    phone.restart();
    phone.report("it stands in the log alone");
    let other = open(&phone.path(), "alice", options(), NOW_MS).unwrap();
    assert!(other.recovery().is_none(), "nobody came across it");
}

#[test]
fn a_file_that_cannot_be_opened_is_no_corrupt_file() {
    let phone = Phone::new();
    let missing = phone.folder.path().join("missing/outbox.db");
    assert!(matches!(open(&missing, "alice", options(), NOW_MS), Err(OutboxError::Unavailable(_))));
    assert!(matches!(
        open(phone.folder.path(), "alice", options(), NOW_MS),
        Err(OutboxError::Unavailable(_))
    ));
    assert_eq!(corrupt_files(&phone), 0);
}

#[test]
fn a_newer_schema_and_another_programs_file_are_refused_untouched() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    let sql =
        |path: &Path, text: &str| rusqlite::Connection::open(path).unwrap().execute_batch(text).unwrap();
    sql(&phone.path(), "PRAGMA user_version = 3");
    let before = fs::read(phone.path()).unwrap();
    let refused = open(&phone.path(), "alice", options(), NOW_MS);
    assert!(matches!(refused, Err(OutboxError::NewerSchema)), "{refused:?}");
    assert_eq!(fs::read(phone.path()).unwrap(), before);
    let other = phone.folder.path().join("other.db");
    sql(&other, "CREATE TABLE contacts (name TEXT)");
    let state = |path: &Path| (fs::read(path).unwrap(), fs::metadata(path).unwrap().permissions());
    let before = state(&other);
    assert!(matches!(open(&other, "alice", options(), NOW_MS), Err(OutboxError::Unavailable(_))));
    assert!(state(&other) == before, "it is as it was");
}

#[test]
fn a_file_that_another_process_writes_is_busy_and_untouched() {
    let mut phone = Phone::with(Options { patience: std::time::Duration::ZERO, ..options() });
    let other = rusqlite::Connection::open(phone.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(phone.outbox().report(&draft("w"), NOW_MS), Err(OutboxError::Unavailable(_))));
    other.execute_batch("ROLLBACK").unwrap();
    phone.report("w");
    assert_eq!(corrupt_files(&phone), 0);
}

#[test]
fn two_may_report_into_one_file_and_one_sends() {
    let mut phone = Phone::new();
    let key = phone.report("a").key;
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let upload = phone.upload();
    let theirs = other.report(&draft("b"), phone.now_ms).unwrap();
    assert!(matches!(
        other.next_upload(phone.now_ms).unwrap(),
        NextUpload::Wait { why: WaitReason::AnotherSender, .. }
    ));
    phone.complete(&upload, &support::response(201, &created(key)));
    phone.answer(201, &created(theirs.key));
    assert_eq!(phone.next(), NextUpload::Idle);
    assert_eq!(other.entry(theirs.key).unwrap().state, EntryState::Settled);
    other.report(&draft("c"), phone.now_ms).unwrap();
    assert!(
        matches!(other.next_upload(phone.now_ms).unwrap(), NextUpload::Send { .. }),
        "the lease was given back"
    );
}

#[test]
fn an_idle_senders_lease_expires() {
    let mut phone = Phone::new();
    phone.report("a");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    phone.upload();
    let NextUpload::Wait { until, .. } = other.next_upload(phone.now_ms).unwrap() else { panic!("no lease") };
    assert!(matches!(other.next_upload(until.0).unwrap(), NextUpload::Send { .. }));
}

#[test]
fn a_late_refusal_of_one_that_another_has_settled_and_erased_changes_nothing() {
    let mut phone = Phone::new();
    let entry = phone.report_anonymously("a");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let upload = phone.upload_at_last();
    let later_ms = phone.now_ms + 10 * 60_000;
    let NextUpload::Send { upload: theirs } = other.next_upload(later_ms).unwrap() else {
        panic!("the lease is kept")
    };
    other.complete_upload(theirs.id, &support::response(201, &created(entry.key)), later_ms).unwrap();
    assert!(matches!(other.entry(entry.key), Err(OutboxError::NotFound)));

    let late =
        phone.outbox().complete_upload(upload.id, &support::response(500, &serde_json::json!({})), later_ms);

    assert!(late.is_ok(), "{late:?}");
}

#[test]
fn a_late_answer_does_nothing_to_another_entry_that_stands_where_its_own_stood() {
    let mut phone = Phone::new();
    let first = phone.report_anonymously("a");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let upload = phone.upload_at_last();
    let later_ms = phone.now_ms + 10 * 60_000;
    let file = rusqlite::Connection::open(phone.path()).unwrap();
    let place: i64 = file.query_row("SELECT seq FROM entry", [], |row| row.get(0)).unwrap();
    let NextUpload::Send { upload: theirs } = other.next_upload(later_ms).unwrap() else {
        panic!("the lease is kept")
    };
    other.complete_upload(theirs.id, &support::response(201, &created(first.key)), later_ms).unwrap();
    let second = other.report(&draft("b"), later_ms).unwrap();
    file.execute("UPDATE entry SET seq = ?1", [place]).unwrap();

    phone
        .outbox()
        .complete_upload(upload.id, &support::response(201, &created(first.key)), later_ms)
        .unwrap();

    assert_eq!(other.entry(second.key).unwrap().state, EntryState::Pending);
}

#[test]
fn a_sender_that_stops_lets_others_send_at_once() {
    let mut phone = Phone::new();
    phone.report("a");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let waits = |next| matches!(next, NextUpload::Wait { why: WaitReason::AnotherSender, .. });
    let first = phone.upload();
    assert!(waits(other.next_upload(phone.now_ms).unwrap()));
    phone.complete(&first, &UploadResult::Cancelled);
    let NextUpload::Send { upload: theirs } = other.next_upload(phone.now_ms).unwrap() else {
        panic!("the lease is kept")
    };
    // A late word about the upload that was given up takes nothing from whoever sends now.
    phone.complete(&first, &UploadResult::Cancelled);
    assert!(waits(phone.next()));
    other.complete_upload(theirs.id, &UploadResult::Cancelled, phone.now_ms).unwrap();
    assert!(matches!(phone.next(), NextUpload::Send { .. }));
}

#[track_caller]
fn all_are_readable_by_their_owner_only(phone: &Phone) {
    for file in fs::read_dir(phone.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
}

#[test]
fn every_file_is_readable_by_its_owner_only() {
    let mut phone = corrupt(|bytes| bytes[..4096].fill(0xa5));
    fs::write(phone.folder.path().join("outbox.db-wal"), [0; 9000]).unwrap();
    phone.restart();
    phone.report("w");
    assert_eq!(corrupt_files(&phone), 2, "the file and its log");
    all_are_readable_by_their_owner_only(&phone);
}

#[test]
fn a_corrupt_file_that_others_could_read_is_moved_out_of_their_sight() {
    let mut phone = corrupt(|bytes| bytes[..4096].fill(0xa5));
    fs::set_permissions(phone.path(), fs::Permissions::from_mode(0o644)).unwrap();
    phone.restart();
    assert_eq!(corrupt_files(&phone), 1);
    all_are_readable_by_their_owner_only(&phone);
}
