//! The file: limits, pruning, damage, other versions, other processes.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{fs, path::Path};

use incident_mobile_ffi::outbox::{
    EntryState, Limits, NewReport, NextUpload, Options, OutboxError, OutboxSettings, Spacing, UploadResult,
    WaitReason,
};
use support::{NOW_MS, Phone, created, draft, open, options};

const DAY_MS: i64 = 24 * 3_600_000;

fn limits(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = options();
    change(&mut options.limits);
    options
}

#[test]
fn a_full_queue_refuses_the_new_report_and_drops_none() {
    let mut phone = Phone::with(limits(|limits| limits.entries = 3));
    let keys = ["a", "b", "c"].map(|location| phone.report(location).key);
    assert!(matches!(phone.outbox().report(&draft("d"), NOW_MS), Err(OutboxError::Full)));
    phone.cancel(keys[0], "cancelling still works").unwrap();
    assert_eq!(phone.outbox().summary().unwrap().pending, 3);
}

#[test]
fn a_file_of_50_mb_refuses_the_new_report() {
    let mut phone = Phone::with(limits(|limits| limits.bytes = 200_000));
    let report = NewReport { cancellation_reason: Some("x".repeat(1000)), ..draft("w") };
    let accepted = (0..1000).take_while(|_| phone.outbox().report(&report, NOW_MS).is_ok()).count();
    assert!((50..200).contains(&accepted), "{accepted}");
    assert!(matches!(phone.outbox().report(&report, NOW_MS), Err(OutboxError::Full)));
}

#[test]
fn a_disk_without_room_is_a_typed_error_and_loses_nothing() {
    let mut phone = Phone::with(Options { max_pages: Some(16), ..options() });
    let mut accepted = Vec::new();
    let error = loop {
        match phone.outbox().report(&draft("w"), NOW_MS) {
            Ok(entry) => accepted.push(entry.key),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, OutboxError::NoSpace(_)), "{error}");
    phone.restart();
    assert!(!accepted.is_empty() && accepted.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

#[test]
fn what_was_settled_30_days_ago_is_erased_from_the_file() {
    let mut phone = Phone::new();
    let key = phone.report("a-very-special-place").key;
    phone.answer(201, &created(key));
    phone.now_ms += 30 * DAY_MS - 1000;
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Settled);
    phone.now_ms += 2000;
    phone.restart();
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    drop(phone.outbox.take());
    for file in fs::read_dir(phone.folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(20).any(|window| window == b"a-very-special-place"));
    }
}

#[test]
fn an_app_may_keep_no_settled_entry_and_space_no_anonymous_one() {
    let settings =
        OutboxSettings { settled_for_ms: Some(0), longest_spacing_ms: Some(0), ..Default::default() };
    let mut phone = Phone::with(Options { seed: Some(7), ..settings.into() });
    let key = phone.report("a-very-special-place").key;
    phone.answer(201, &created(key));
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    phone.report_anonymously("hidden");
    let upload = phone.upload();
    phone.complete(&upload, &support::settle_all(&upload));
    assert_eq!(phone.next(), NextUpload::Idle);
    drop(phone.outbox.take());
    assert!(!support::stands_in(phone.folder.path(), b"a-very-special-place"));
}

#[test]
fn settings_that_make_no_sense_are_the_nearest_that_do() {
    let settings = OutboxSettings {
        settled_for_ms: Some(-1),
        shortest_spacing_ms: Some(i64::MAX),
        longest_spacing_ms: Some(1),
    };
    let options = Options::from(settings);
    assert_eq!(options.limits.settled_for_ms, 0);
    assert_eq!(options.spacing, Spacing { shortest_ms: 1, longest_ms: 1 });
    let as_ever = Options::from(OutboxSettings::default());
    assert_eq!((as_ever.limits, as_ever.spacing), (Limits::default(), Spacing::default()));
}

#[test]
fn beyond_the_limit_the_longest_settled_go_and_their_milliseconds_stay_taken() {
    let mut phone = Phone::with(limits(|limits| limits.settled = 2));
    let entries: Vec<_> = (0..4)
        .map(|_| {
            let entry = phone.report("w");
            phone.answer(201, &created(entry.key));
            entry
        })
        .collect();
    assert_eq!(phone.outbox().summary().unwrap().settled, 2);
    let first_ms = entries[0].payload.facts.created_at.unix_ms();
    let stepped_back = phone.outbox().report(&draft("other"), first_ms).unwrap();
    assert_eq!(stepped_back.payload.facts.created_at.unix_ms(), first_ms + 4);
}

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

/// Reports 300 entries, closes, and lets `damage` loose on the file.
fn corrupt(damage: impl FnOnce(&mut Vec<u8>)) -> Phone {
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

fn corrupt_files(phone: &Phone) -> usize {
    let names = fs::read_dir(phone.folder.path()).unwrap().map(|file| file.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("-corrupt-")).count()
}

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
fn every_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let mut phone = corrupt(|bytes| bytes[..4096].fill(0xa5));
    fs::write(phone.folder.path().join("outbox.db-wal"), [0; 9000]).unwrap();
    phone.restart();
    phone.report("w");
    assert_eq!(corrupt_files(&phone), 2, "the file and its log");
    for file in fs::read_dir(phone.folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{:?}", file.file_name());
    }
}

#[test]
fn others_and_quarantined_entries_fill_nobodys_queue() {
    let mut phone = Phone::with(limits(|limits| limits.entries = 3));
    for _ in 0..3 {
        let key = phone.report("w").key;
        phone.answer(422, &support::problem(422, "validation-failed", "quarantine"));
        assert_eq!(phone.state(key), EntryState::Quarantined);
    }
    phone.report("still taken");
    drop(phone.outbox.take());
    let options = limits(|limits| limits.entries = 1);
    let mut bobs = open(&phone.path(), "bob", options, phone.now_ms).unwrap();
    bobs.report(&draft("w"), phone.now_ms).unwrap();
    assert!(matches!(bobs.report(&draft("w"), phone.now_ms), Err(OutboxError::Full)));
}

#[test]
fn a_tenth_of_the_bytes_is_there_for_new_reports_whatever_others_left() {
    let mut phone = Phone::with(limits(|limits| limits.bytes = 200_000));
    let report = NewReport { cancellation_reason: Some("x".repeat(1000)), ..draft("w") };
    let of_alice = (0..1000).take_while(|_| phone.outbox().report(&report, NOW_MS).is_ok()).count();
    drop(phone.outbox.take());
    let options = limits(|limits| limits.bytes = 200_000);
    let mut bobs = open(&phone.path(), "bob", options, phone.now_ms).unwrap();
    let of_bob = (0..1000).take_while(|_| bobs.report(&report, NOW_MS).is_ok()).count();
    assert!((15..25).contains(&of_bob), "{of_alice} and {of_bob}");
}
