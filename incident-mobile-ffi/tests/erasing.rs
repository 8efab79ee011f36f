//! What was erased is gone from every place where something of it may be: waits, unfinished repairs, copies.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::Path,
    sync::Mutex,
};

use incident_core::IdempotencyKey;
use incident_mobile_ffi::{
    api,
    outbox::{Change, Moment, NextUpload, Options, Probe, Reached, RepairStep, WaitReason},
};
use rusqlite::Connection;
use serde_json::Value;
use support::{
    NOW_MS, Phone, draft, no_network, open, options, problem, respond, response, settle_all, stands_in,
};

const DAY_MS: i64 = 24 * 3_600_000;

fn conflict() -> Value {
    problem(409, "idempotency-conflict", "quarantine")
}

/// An anonymous report that the server refused.
fn refused_anonymously(phone: &mut Phone, location: &str) -> IdempotencyKey {
    let key = phone.report_anonymously(location).key;
    let upload = phone.upload_at_last();
    phone.complete(&upload, &response(409, &conflict()));
    key
}

#[test]
fn a_wait_does_not_keep_whose_an_erased_report_was() {
    let mut phone = Phone::new();
    let key = phone.report_anonymously("w").key;
    let upload = phone.upload();
    phone.complete(&upload, &no_network());
    phone.wait();
    phone.answer(409, &conflict());
    assert!(stands_in(phone.folder.path(), b"alice"), "the search finds what is there");

    phone.outbox().discard(key).unwrap();

    assert!(!stands_in(phone.folder.path(), b"alice"));
}

#[test]
fn a_late_failure_does_not_bring_back_whose_an_erased_report_was() {
    let mut phone = Phone::new();
    phone.report_anonymously("w");
    let mut other = open(&phone.path(), "alice", Options { seed: Some(8), ..options() }, NOW_MS).unwrap();
    let upload = phone.upload();
    phone.now_ms += 10 * 60_000;
    let NextUpload::Send { upload: theirs } = other.next_upload(phone.now_ms).unwrap() else {
        panic!("the lease is kept")
    };
    other.complete_upload(theirs.id, &settle_all(&theirs), phone.now_ms).unwrap();

    phone.complete(&upload, &no_network());

    assert!(!stands_in(phone.folder.path(), b"alice"));
}

#[test]
fn the_servers_wish_is_kept_while_another_report_of_the_same_person_waits() {
    let mut phone = Phone::new();
    let key = refused_anonymously(&mut phone, "w");
    phone.report("waits");
    let upload = phone.upload();
    let busy = problem(429, "rate-limited", "retry").to_string();
    phone.complete(&upload, &respond(429, &[("Retry-After", "3600")], busy.as_bytes()));

    phone.outbox().discard(key).unwrap();

    assert_eq!(phone.wait(), (3_600_000, WaitReason::ServerBusy));
}

/// Dies there.
fn killed_at(moment: Reached) -> Probe {
    Box::new(move |reached| {
        if reached == moment {
            resume_unwind(Box::new("killed"));
        }
    })
}

/// Makes the text of a report that stands in the file unreadable. No check of SQLite finds it.
#[track_caller]
fn spoil_text(file: &Path, text: &str) {
    let mut bytes = fs::read(file).unwrap();
    let quoted = format!("\"{text}\"");
    let at = bytes.windows(quoted.len()).position(|window| window == quoted.as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(file, bytes).unwrap();
}

/// Bob comes across a report of his that is damaged, and his app is killed when the repair has built the new file.
#[track_caller]
fn repair_and_die(file: &Path) {
    let probe = Some(killed_at(Reached::Repair(RepairStep::Saved)));
    let mut bob = open(file, "bob", Options { probe, ..options() }, NOW_MS).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| bob.entries(None, 10, None))).is_err(), "it is damaged");
}

/// A phone with an anonymous report of Alice's, and one of Bob's that is damaged.
fn with_a_damaged_report() -> Phone {
    let mut phone = Phone::new();
    phone.sign_in("bob");
    phone.report("of-bob");
    phone.restart();
    phone.report_anonymously("a-hidden-place");
    drop(phone.outbox.take());
    spoil_text(&phone.path(), "of-bob");
    phone
}

#[test]
fn an_outbox_that_is_begun_anew_does_not_come_back_from_a_repair_that_was_killed() {
    let mut phone = with_a_damaged_report();
    repair_and_die(&phone.path());
    phone.restart();
    drop(phone.outbox.take());

    fs::remove_file(phone.path()).unwrap();
    phone.restart();

    assert_eq!(phone.outbox().summary().unwrap().pending, 0);
    assert!(!stands_in(phone.folder.path(), b"a-hidden-place"));
}

#[test]
fn what_a_killed_repair_had_built_goes_with_the_first_anonymous_report() {
    let mut phone = with_a_damaged_report();
    phone.restart();
    repair_and_die(&phone.path());

    let upload = phone.upload_at_last();
    phone.complete(&upload, &settle_all(&upload));

    assert!(!stands_in(phone.folder.path(), b"a-hidden-place"));
}

/// How many copies of damaged files there are.
fn copies(folder: &Path) -> usize {
    let names = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().contains("-corrupt-")).count()
}

#[test]
fn copies_are_found_whatever_the_folder_and_the_file_are_called() {
    let phone = Phone::new();
    let folder = phone.folder.path().join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    let path = folder.join(OsStr::from_bytes(b"\xe9.db"));
    for now_ms in NOW_MS..NOW_MS + 4 {
        fs::write(&path, [b'x'; 9000]).unwrap();
        assert!(open(&path, "alice", options(), now_ms).unwrap().recovery().is_some());
    }
    assert_eq!(copies(&folder), 2);

    open(&path, "alice", options(), NOW_MS + 31 * DAY_MS).unwrap();

    assert_eq!(copies(&folder), 0);
}

#[test]
fn a_copy_of_a_clock_that_was_years_ahead_is_not_kept_for_years() {
    let mut phone = Phone::new();
    drop(phone.outbox.take());
    fs::write(phone.path(), [b'x'; 9000]).unwrap();
    open(&phone.path(), "alice", options(), NOW_MS + 5000 * DAY_MS).unwrap();
    assert_eq!(copies(phone.folder.path()), 1);

    phone.restart();

    assert_eq!(copies(phone.folder.path()), 0);
}

#[test]
fn a_copy_is_kept_for_30_days_from_the_repair_and_not_from_the_opening_before() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("outbox.db");
    let at = |now_ms| {
        api::Outbox::open(path.display().to_string(), "alice".into(), None, None, Some(Moment(now_ms)))
            .unwrap()
    };
    open(&path, "alice", options(), NOW_MS).unwrap().report(&draft("spoilt"), NOW_MS).unwrap();
    spoil_text(&path, "spoilt");
    let outbox = at(NOW_MS);
    outbox.turn_to(Moment(NOW_MS + 40 * DAY_MS)).unwrap();
    outbox.entries(None, 10, None).unwrap_err();
    drop(outbox);

    at(NOW_MS + 41 * DAY_MS);

    assert_eq!(copies(folder.path()), 1);
}

/// Two that have one file open: a new report of Alice's that the server refused, and whoever is killed when it has
/// discarded that.
fn with_another(phone: &mut Phone, is_anonymous: bool) -> impl Fn() + Send + Sync + use<> {
    let key = if is_anonymous { phone.report_anonymously("b").key } else { phone.report("b").key };
    phone.answer(409, &conflict());
    assert_eq!(phone.next(), NextUpload::Idle);
    let probe = Some(killed_at(Reached::AfterCommit(Change::Discard)));
    let other = Mutex::new(open(&phone.path(), "alice", Options { probe, ..options() }, NOW_MS).unwrap());
    move || {
        let mut other = other.lock().unwrap();
        catch_unwind(AssertUnwindSafe(|| other.discard(key))).unwrap_err();
    }
}

/// What is noted as erased after Anna's discarded report was, while `meanwhile` happened.
fn noted_after(phone: &Phone, meanwhile: impl Fn() + Send + Sync + 'static) -> i64 {
    let probe = move |reached| {
        if reached == Reached::Compacted {
            meanwhile();
        }
    };
    let options = Options { probe: Some(Box::new(probe)), ..options() };
    let mut anna = open(&phone.path(), "anna", options, NOW_MS).unwrap();
    anna.report(&draft("a"), NOW_MS).unwrap();
    let NextUpload::Send { upload } = anna.next_upload(NOW_MS).unwrap() else { panic!("it waits") };
    anna.complete_upload(upload.id, &response(409, &conflict()), NOW_MS).unwrap();
    anna.discard_all(None).unwrap();
    let file = Connection::open(phone.path()).unwrap();
    file.query_row("SELECT erased FROM own", [], |row| row.get(0)).unwrap()
}

#[test]
fn what_another_erases_while_a_file_is_rebuilt_is_not_taken_for_gone() {
    let mut phone = Phone::new();
    let discard_named = with_another(&mut phone, false);
    assert_eq!(noted_after(&phone, discard_named), 1);

    let mut phone = Phone::new();
    let discard_anonymous = with_another(&mut phone, true);
    assert_eq!(noted_after(&phone, discard_anonymous), 2);

    assert_eq!(noted_after(&Phone::new(), || ()), 0);
}
