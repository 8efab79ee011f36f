//! What was erased is gone from every place where something of it may be: waits, unfinished repairs, copies.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::{NextUpload, Options, WaitReason};
use serde_json::Value;
use support::{NOW_MS, Phone, no_network, open, options, problem, respond, response, settle_all, stands_in};

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
