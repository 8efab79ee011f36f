//! Two versions of the package on one file, as an app and its extension have them after half an update: a typed error or
//! none, nothing lost, and no file taken for damaged.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{fs, os::unix::fs::FileExt};

use incident_core::{IdempotencyKey, Reporter, SyncPayload, Timestamp};
use incident_mobile_ffi::outbox::{EntryState, OutboxError};
use rusqlite::{Connection, params};
use support::{
    NOW_MS, Phone,
    damage::{beside, corrupt_files},
    draft, open, options, settle_all,
};

/// What a later version does to the file that is open here.
fn take_over(phone: &Phone) -> Connection {
    let later = Connection::open(phone.path()).unwrap();
    later
        .execute_batch("BEGIN; ALTER TABLE entry ADD COLUMN note TEXT; PRAGMA user_version = 3; COMMIT")
        .unwrap();
    later
}

#[test]
fn an_outbox_whose_file_a_later_version_takes_over_writes_no_more_and_loses_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("a").key;
    let upload = phone.upload();
    let later = take_over(&phone);
    let now_ms = phone.now_ms;
    let outbox = phone.outbox();
    assert!(matches!(outbox.report(&draft("b"), now_ms), Err(OutboxError::NewerSchema)));
    assert!(matches!(outbox.cancel(key, "no", now_ms), Err(OutboxError::NewerSchema)));
    assert!(matches!(
        outbox.complete_upload(upload.id, &settle_all(&upload), now_ms),
        Err(OutboxError::NewerSchema)
    ));
    assert!(matches!(outbox.discard_all(None), Err(OutboxError::NewerSchema)));
    let reopened = open(&phone.path(), "alice", options(), NOW_MS);
    assert!(matches!(reopened, Err(OutboxError::NewerSchema)));
    let kept: String = later.query_row("SELECT key FROM entry", [], |row| row.get(0)).unwrap();
    assert_eq!((kept, corrupt_files(&phone)), (key.to_string(), 0));
}

#[test]
fn a_file_that_a_later_version_gave_other_tables_is_not_taken_for_damaged() {
    let mut phone = Phone::new();
    phone.report("a");
    let later = take_over(&phone);
    later.execute_batch("DROP INDEX entry_list; ALTER TABLE entry RENAME payload TO report").unwrap();
    for _ in 0..2 {
        let listed = phone.outbox().entries(None, 10, None);
        assert!(matches!(listed, Err(OutboxError::NewerSchema)), "{listed:?}");
    }
    assert_eq!(corrupt_files(&phone), 0);
}

#[test]
fn a_damaged_file_of_a_later_version_is_left_to_it() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    phone.restart();
    for n in 0..20 {
        phone.report(&format!("ward-{n}"));
    }
    // As a killed process leaves it: with its log, in which a bit of the second frame has flipped.
    let (file, killed) = (phone.path(), phone.folder.path().join("killed.db"));
    fs::copy(&file, &killed).unwrap();
    fs::copy(beside(&file, "-wal"), beside(&killed, "-wal")).unwrap();
    let log = fs::OpenOptions::new().write(true).open(beside(&killed, "-wal")).unwrap();
    log.write_all_at(&[42], 32 + 24 + 4096 + 24 + 1000).unwrap();
    let head = fs::OpenOptions::new().write(true).open(&killed).unwrap();
    head.write_all_at(&3_u32.to_be_bytes(), 60).unwrap();
    let before = fs::read(&killed).unwrap();

    assert!(matches!(open(&killed, "alice", options(), NOW_MS), Err(OutboxError::NewerSchema)));
    assert_eq!((fs::read(&killed).unwrap(), corrupt_files(&phone)), (before, 0));

    head.write_all_at(&2_u32.to_be_bytes(), 60).unwrap();
    assert!(open(&killed, "alice", options(), NOW_MS).unwrap().recovery().is_some());
}

#[test]
fn what_version_0_1_reports_into_a_file_that_was_brought_up_to_date_is_sent() {
    let mut phone = Phone::new();
    let earlier = Connection::open(phone.path()).unwrap();
    let payload = SyncPayload::from_draft(&draft("from 0.1"), NOW_MS).unwrap().to_canonical_json();
    let moment = Timestamp::from_unix_ms(NOW_MS).unwrap();
    let key = IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), moment);
    let sql = "INSERT INTO entry (reporter, key, created_at_ms, revision, state, anonymous, payload, reported_at_ms,
                                  changed_at_ms)
               VALUES ('alice', ?1, ?2, 0, 0, 0, ?3, ?2, ?2)";
    earlier.execute(sql, params![key.to_string(), NOW_MS, payload]).unwrap();

    assert_eq!(phone.state(key), EntryState::Pending);
    let upload = phone.upload();
    phone.complete(&upload, &settle_all(&upload));
    assert_eq!(phone.state(key), EntryState::Settled);
}
