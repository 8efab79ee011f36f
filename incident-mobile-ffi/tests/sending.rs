//! The right to send, which one of many has, and how little is written for it.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use incident_mobile_ffi::outbox::{Change, NextUpload, Options, Reached, WaitReason};
use support::{NOW_MS, Phone, options, settle_all};

/// A phone, and how often it has written anything about the right to send.
fn counted() -> (Phone, Arc<AtomicUsize>) {
    let writes = Arc::new(AtomicUsize::new(0));
    let counter = writes.clone();
    let probe = move |reached| {
        if reached == Reached::AfterCommit(Change::Lease) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    };
    (Phone::with(Options { probe: Some(Box::new(probe)), ..options() }), writes)
}

/// Lets a process have the right to send for a minute.
fn give_to(phone: &Phone, process: u32) {
    let connection = rusqlite::Connection::open(phone.path()).unwrap();
    let sql = "INSERT OR REPLACE INTO lease (id, owner, process, until_ms) VALUES (1, 1, ?1, ?2)";
    connection.execute(sql, (process, NOW_MS + 60_000)).unwrap();
}

#[test]
fn for_many_uploads_the_right_to_send_is_written_once_and_given_back_once() {
    let (mut phone, writes) = counted();
    for _ in 0..5 {
        phone.report("w");
        let upload = phone.upload();
        phone.complete(&upload, &settle_all(&upload));
    }
    assert_eq!(writes.load(Ordering::Relaxed), 1);
    assert_eq!(phone.next(), NextUpload::Idle);
    assert_eq!(writes.load(Ordering::Relaxed), 2);
}

#[test]
fn who_has_nothing_to_send_writes_nothing() {
    let (mut phone, writes) = counted();
    assert_eq!(phone.next(), NextUpload::Idle);
    drop(phone.outbox.take());
    assert_eq!(writes.load(Ordering::Relaxed), 0);
}

#[test]
fn another_process_that_may_send_is_waited_for_and_one_that_is_gone_is_not() {
    let mut phone = Phone::new();
    phone.report("w");
    // The one that started this one, and none that a system has.
    give_to(&phone, std::os::unix::process::parent_id());
    assert!(matches!(phone.next(), NextUpload::Wait { why: WaitReason::AnotherSender, .. }));
    give_to(&phone, i32::MAX.unsigned_abs());
    phone.upload();
}

#[test]
fn once_all_that_was_erased_is_gone_the_file_rests() {
    let mut phone = Phone::new();
    phone.report_anonymously("hidden");
    let upload = phone.upload();
    phone.complete(&upload, &settle_all(&upload));
    assert_eq!(phone.next(), NextUpload::Idle);
    phone.restart();
    let before = fs::read(phone.path()).unwrap();
    assert_eq!(phone.next(), NextUpload::Idle);
    phone.restart();
    assert!(fs::read(phone.path()).unwrap() == before, "it was rebuilt for nothing");
}
