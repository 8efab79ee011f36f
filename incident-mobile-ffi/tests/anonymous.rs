//! Anonymous reports on the phone: named by a secret, apart from named ones, and gone once they are settled.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use incident_core::{IdempotencyKey, Reporter};
use incident_mobile_ffi::outbox::{
    Draft, Entry, EntryState, NextUpload, Options, OutboxError, Reached, RepairStep, Spacing,
};
use support::{
    NOW_MS, Phone, created, damage::beside, draft, item, open, options, payloads, problem, response,
    settle_all, stands_in,
};

fn derived(entry: &Entry) -> IdempotencyKey {
    IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), entry.payload.facts.created_at)
}

fn settle_next(phone: &mut Phone) {
    let upload = phone.upload_at_last();
    phone.complete(&upload, &settle_all(&upload));
}

fn anonymous(location: &str) -> Draft {
    Draft { is_anonymous: true, ..draft(location) }
}

#[test]
fn an_anonymous_report_has_a_key_that_no_list_of_users_gives() {
    let mut phone = Phone::new();
    let entry = phone.report_anonymously("w");
    assert_ne!(entry.key, derived(&entry));
    assert_eq!(entry.key.created_at_ms(), entry.payload.facts.created_at.unix_ms());
    let mut other = Phone::new();
    assert_ne!(other.report_anonymously("w").key, entry.key, "each outbox has a secret of its own");
}

#[test]
fn the_key_stays_what_it_is_through_restarts_and_cancellations() {
    let mut phone = Phone::new();
    let key = phone.report_anonymously("w").key;
    phone.restart();
    phone.cancel(key, "false alarm").unwrap();
    let upload = phone.upload();
    assert_eq!(support::keys(&upload), [key]);
    assert_eq!(payloads(&upload)[0]["cancellationReason"], "false alarm");
}

#[test]
fn a_millisecond_that_was_an_erased_ones_gives_another_key() {
    let mut phone = Phone::new();
    let first = phone.outbox().report(&anonymous("w"), NOW_MS).unwrap();
    settle_next(&mut phone);
    phone.restart();
    let second = phone.outbox().report(&anonymous("w"), NOW_MS).unwrap();
    assert_eq!(first.payload.facts.created_at, second.payload.facts.created_at);
    assert_ne!(first.key, second.key);
}

#[test]
fn a_settled_anonymous_report_is_gone_and_was_counted() {
    let mut phone = Phone::new();
    let key = phone.report_anonymously("w").key;
    let upload = phone.upload();
    let progress = phone.complete(&upload, &settle_all(&upload));
    assert_eq!((progress.settled, progress.pending), (1, 0));
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    assert!(matches!(phone.cancel(key, "too late"), Err(OutboxError::NotFound)));
}

#[test]
fn of_a_settled_anonymous_report_nothing_is_left_at_once_not_even_whose_it_was() {
    let mut phone = Phone::new();
    phone.report_anonymously("secret-place");
    let upload = phone.upload();
    assert!(stands_in(phone.folder.path(), b"secret-place"), "the search finds what is there");

    phone.complete(&upload, &settle_all(&upload));

    assert!(!stands_in(phone.folder.path(), b"secret-place"));
    assert!(!stands_in(phone.folder.path(), b"alice"));
}

#[test]
fn one_that_was_called_off_meanwhile_is_not_gone_before_that_has_arrived() {
    let mut phone = Phone::new();
    let key = phone.report_anonymously("w").key;
    let upload = phone.upload();
    phone.cancel(key, "false alarm").unwrap();
    phone.complete(&upload, &settle_all(&upload));
    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn of_hundreds_of_settled_and_discarded_anonymous_reports_nothing_is_left_in_any_file() {
    let mut phone = Phone::with(Options { spacing: Spacing::NONE, ..options() });
    let mut named = Vec::new();
    let mut gone = Vec::new();
    for n in 0..300 {
        let long = "x".repeat(n % 700);
        let report = Draft {
            room_number: Some(format!("secret-{n}-room")),
            ..anonymous(&format!("secret-{n}-place"))
        };
        let report = Draft { cancellation_reason: Some(format!("secret-{n}-reason{long}")), ..report };
        phone.now_ms += 1;
        let now_ms = phone.now_ms;
        gone.push(phone.outbox().report(&report, now_ms).unwrap());
        named.push(phone.report(&format!("named-{n}-{long}", long = &long[..long.len().min(90)])).key);
    }
    let mut sent = 0;
    while let NextUpload::Send { upload } = phone.next() {
        sent += 1;
        let hidden = payloads(&upload)[0]["isAnonymous"] == true;
        let answer = if hidden && sent % 3 == 0 {
            response(422, &problem(422, "validation-failed", "quarantine"))
        } else {
            settle_all(&upload)
        };
        phone.complete(&upload, &answer);
    }
    assert!(phone.outbox().discard_all(Some(EntryState::Quarantined)).unwrap() > 50);
    drop(phone.outbox.take());
    let folder = phone.folder.path();
    assert!(stands_in(folder, b"named-7-"), "the search finds what is there");
    assert!(!stands_in(folder, b"secret-"));
    for entry in &gone {
        let ms = entry.payload.facts.created_at.unix_ms();
        assert!(!stands_in(folder, entry.key.to_string().as_bytes()));
        assert!(!stands_in(folder, entry.key.as_bytes()));
        assert!(!stands_in(folder, entry.payload.facts.created_at.to_string().as_bytes()));
        assert!(!stands_in(folder, &ms.to_be_bytes()[2..]), "SQLite keeps a moment in six bytes");
    }
}

#[test]
fn nothing_of_other_discarded_reports_is_left_in_gaps_between_kept_ones() {
    let mut phone = Phone::new();
    for n in 0..600 {
        let word = if n % 3 == 0 { "kept" } else { "discarded" };
        phone.report(&format!("{word}-{n}-{}", "x".repeat(n * 7 % 90)));
    }
    while let NextUpload::Send { upload } = phone.next() {
        let answer = |(payload, key): (&serde_json::Value, IdempotencyKey)| {
            let is_kept = payload["locationId"].as_str().unwrap().starts_with("kept");
            let refused = item(422, problem(422, "validation-failed", "quarantine"));
            if is_kept { item(201, created(key)) } else { refused }
        };
        let results: Vec<_> = payloads(&upload).iter().zip(support::keys(&upload)).map(answer).collect();
        phone.complete(&upload, &response(200, &serde_json::json!({ "results": results })));
    }
    assert_eq!(phone.outbox().discard_all(Some(EntryState::Quarantined)).unwrap(), 400);
    drop(phone.outbox.take());
    assert!(!stands_in(phone.folder.path(), b"discarded-"));
}

#[test]
fn what_a_killed_process_had_erased_leaves_the_gaps_at_the_next_opening() {
    let mut phone = Phone::new();
    let key = phone.report("a-hidden-place").key;
    let erased = serde_json::json!({"outcome": "erased", "disposition": "settled", "idempotencyKey": key,
        "incident": {"id": "01a202c0-f648-8114-8d97-64d571c679d1", "status": "Erased"}});
    phone.answer(200, &erased);
    let mut killed = Phone::new();
    drop(killed.outbox.take());
    for name in ["outbox.db", "outbox.db-wal"] {
        fs::copy(phone.folder.path().join(name), killed.folder.path().join(name)).unwrap();
    }
    assert!(stands_in(killed.folder.path(), b"a-hidden-place"), "its log still holds it");
    drop(open(&killed.path(), "alice", options(), NOW_MS).unwrap());
    assert!(!stands_in(killed.folder.path(), b"a-hidden-place"));
}

#[test]
fn a_corrupt_file_that_was_moved_aside_goes_with_the_first_anonymous_report() {
    let mut phone = Phone::new();
    phone.report_anonymously("a-hidden-place");
    drop(phone.outbox.take());
    let mut bytes = fs::read(phone.path()).unwrap();
    bytes[..100].fill(42);
    fs::write(phone.path(), bytes).unwrap();
    phone.restart();
    assert_eq!(phone.outbox().recovery().unwrap().saved, 1);
    settle_next(&mut phone);
    assert_eq!(phone.next(), NextUpload::Idle);
    drop(phone.outbox.take());
    assert!(!stands_in(phone.folder.path(), b"a-hidden-place"));
}

#[test]
fn the_log_of_a_repair_that_was_killed_goes_with_the_first_anonymous_report() {
    let mut phone = Phone::new();
    phone.report_anonymously("a-hidden-place");
    let mut killed = Phone::new();
    drop(killed.outbox.take());
    let mut log = fs::read(beside(&phone.path(), "-wal")).unwrap();
    log[100] ^= 1;
    fs::write(beside(&killed.path(), "-wal"), log).unwrap();
    let probe = |reached| {
        if reached == Reached::Repair(RepairStep::Moved) {
            resume_unwind(Box::new("killed"));
        }
    };
    let options = Options { probe: Some(Box::new(probe)), ..options() };
    let died = catch_unwind(AssertUnwindSafe(|| open(&killed.path(), "alice", options, NOW_MS).map(drop)));
    assert!(died.is_err(), "{died:?}");
    killed.restart();
    settle_next(&mut killed);
    assert_eq!(killed.next(), NextUpload::Idle);
    drop(killed.outbox.take());
    assert!(!stands_in(killed.folder.path(), b"a-hidden-place"));
}

#[test]
fn a_repair_keeps_the_keys_the_secret_and_the_marks() {
    let mut phone = Phone::new();
    let discarded = phone.report("named, and discarded");
    phone.answer(422, &problem(422, "validation-failed", "quarantine"));
    phone.outbox().discard(discarded.key).unwrap();
    let key = phone.report_anonymously("w").key;
    drop(phone.outbox.take());
    let secret = |phone: &Phone| -> Vec<u8> {
        let connection = rusqlite::Connection::open(phone.path()).unwrap();
        connection.query_row("SELECT sealing FROM own", [], |row| row.get(0)).unwrap()
    };
    let before = secret(&phone);
    let mut bytes = fs::read(phone.path()).unwrap();
    bytes[..100].fill(42);
    fs::write(phone.path(), bytes).unwrap();
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Pending);
    assert_eq!(phone.outbox().recovery().unwrap().lost, 0);
    let again_ms = discarded.payload.facts.created_at.unix_ms();
    let again = phone.outbox().report(&draft("w"), again_ms).unwrap();
    assert_ne!(again.payload.facts.created_at.unix_ms(), again_ms, "its millisecond is another's");
    assert_eq!(secret(&phone), before);
}

#[test]
fn a_lost_secret_loses_no_stored_report() {
    let mut phone = Phone::new();
    let entry = phone.report_anonymously("w");
    drop(phone.outbox.take());
    let connection = rusqlite::Connection::open(phone.path()).unwrap();
    connection.execute_batch("DELETE FROM own").unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(connection);
    let mut bytes = fs::read(phone.path()).unwrap();
    bytes[..100].fill(42);
    fs::write(phone.path(), bytes).unwrap();
    phone.restart();
    assert_eq!(phone.entry(entry.key).payload, entry.payload);
    phone.report_anonymously("another");
}
