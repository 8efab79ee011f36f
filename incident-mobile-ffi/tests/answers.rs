//! What an answer means: the table of the promise, line by line, through the queue.

#![allow(missing_docs)]

mod support;

use incident_mobile_ffi::outbox::{EntryState, MAX_STRIKES, NextUpload, UploadResult, WaitReason};
use serde_json::{Value, json};
use support::{Phone, created, item, payloads, problem, respond, response};

#[test]
fn the_contracts_answer_settles_and_is_kept() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let progress = phone.answer(201, &created(key));
    assert_eq!((progress.settled, progress.quarantined, progress.pending), (1, 0, 0));
    let entry = phone.entry(key);
    assert_eq!((entry.state, entry.attempts), (EntryState::Settled, 1));
    assert_eq!(entry.incident.unwrap().received_at_ms, 1_795_348_800_000);
    assert_eq!(phone.next(), NextUpload::Idle);
}

#[test]
fn another_entrys_answer_settles_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let stranger = json!("01a202c0-f648-81b8-95f2-469ecf9e3f4e");
    let mut answer = created(key);
    answer["idempotencyKey"] = stranger;
    phone.answer(200, &answer);
    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn a_captive_portal_is_waited_out_and_costs_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    for status in [200, 204, 302] {
        let upload = phone.upload();
        let html =
            respond(status, &[("Content-Type", "text/html")], b"<html>Sign in to the WLAN \xff</html>");
        phone.complete(&upload, &html);
        assert_eq!((phone.state(key), phone.entry(key).attempts), (EntryState::Pending, 0));
        assert_eq!(phone.wait().1, WaitReason::NotTheServer);
    }
}

#[test]
fn a_network_failure_waits_for_the_whole_queue_and_costs_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    phone.complete(&upload, &UploadResult::NetworkFailure);
    phone.report("later");
    assert_eq!(phone.wait().1, WaitReason::Offline);
    let entry = phone.entry(key);
    assert_eq!((entry.state, entry.attempts, entry.trouble), (EntryState::Pending, 0, None));
}

#[test]
fn cancelled_means_pending_again_at_once() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    assert_eq!(phone.state(key), EntryState::Sending);
    phone.complete(&upload, &UploadResult::Cancelled);
    assert_eq!(phone.state(key), EntryState::Pending);
    assert_eq!(phone.upload().body, upload.body);
}

#[test]
fn an_expired_token_stops_everything_until_there_is_a_new_one() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(401, &Value::Null);
    phone.report("later");
    phone.now_ms += 1_000_000_000;
    assert_eq!(phone.next(), NextUpload::SignIn);
    phone.outbox().token_changed();
    assert_eq!(payloads(&phone.upload()).len(), 2);
    assert_eq!(phone.entry(key).attempts, 0);
}

#[test]
fn a_wrong_address_costs_an_entry_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    for status in [404, 405] {
        phone.answer(status, &problem(status, "not-found", "retry"));
        assert_eq!(phone.wait().1, WaitReason::WrongAddress);
    }
    assert_eq!((phone.state(key), phone.entry(key).attempts), (EntryState::Pending, 0));
}

#[test]
fn a_refused_entry_is_quarantined_with_its_problem_and_the_others_go_on() {
    let mut phone = Phone::new();
    let keys = ["a", "b", "c"].map(|location| phone.report(location).key);
    let bad = json!({"type": "/problems/validation-failed", "disposition": "quarantine",
        "errors": [{"pointer": "/locationId", "code": "too-long", "detail": "d"}]});
    let results = [item(201, created(keys[0])), item(422, bad), item(201, created(keys[2]))];
    let progress = phone.answer(200, &json!({ "results": results }));
    assert_eq!((progress.settled, progress.quarantined, progress.pending), (2, 1, 0));
    let trouble = phone.entry(keys[1]).trouble.unwrap();
    assert_eq!((trouble.status, trouble.errors[0].code.as_str()), (422, "too-long"));
    assert_eq!(phone.next(), NextUpload::Idle);
}

#[test]
fn a_quarantined_entry_is_sent_again_or_discarded_at_the_users_wish() {
    let mut phone = Phone::new();
    let keys = ["a", "b"].map(|location| phone.report(location).key);
    let bad = item(409, problem(409, "idempotency-conflict", "quarantine"));
    phone.answer(200, &json!({ "results": [bad.clone(), bad] }));
    let now_ms = phone.now_ms;
    phone.outbox().retry(keys[0], now_ms).unwrap();
    phone.outbox().discard(keys[1]).unwrap();
    assert!(phone.outbox().entry(keys[1]).is_err());
    assert!(phone.outbox().discard(keys[0]).is_err(), "it is pending again");
    phone.answer(200, &created(keys[0]));
    assert_eq!(phone.state(keys[0]), EntryState::Settled);
}

#[test]
fn a_batch_that_is_too_large_is_halved_down_to_the_one_that_is_quarantined() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..8).map(|_| phone.report("w").key).collect();
    for expected in [8, 4, 2, 1] {
        let upload = phone.upload();
        assert_eq!(payloads(&upload).len(), expected);
        phone.complete(&upload, &response(413, &problem(413, "payload-too-large", "quarantine")));
    }
    assert_eq!(phone.state(keys[0]), EntryState::Quarantined);
    assert_eq!(phone.state(keys[1]), EntryState::Pending);
}

#[test]
fn a_batch_that_is_refused_as_a_whole_is_taken_apart() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..4).map(|_| phone.report("w").key).collect();
    phone.answer(400, &Value::Null);
    assert!(keys.iter().all(|key| phone.entry(*key).state == EntryState::Pending));
    assert_eq!(payloads(&phone.upload()).len(), 2);
}

#[test]
fn retry_after_holds_where_it_is_longer_than_the_back_off() {
    let mut phone = Phone::new();
    phone.report("w");
    let upload = phone.upload();
    phone.complete(&upload, &respond(429, &[("retry-after", "3600")], b""));
    assert_eq!(phone.wait(), (3_600_000, WaitReason::ServerBusy));
    let upload = phone.upload();
    phone.complete(&upload, &respond(503, &[("Retry-After", "999999999")], b""));
    assert_eq!(phone.wait().0, 24 * 3_600_000);
}

#[test]
fn a_server_that_is_down_for_all_is_no_entrys_fault() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    for _ in 0..3 * MAX_STRIKES {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &response(500, &problem(500, "internal", "retry")));
    }
    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn an_entry_that_alone_draws_server_errors_while_others_succeed_is_quarantined() {
    let mut phone = Phone::new();
    let poison = phone.report("poison").key;
    let mut requests = 0;
    while phone.state(poison) != EntryState::Quarantined {
        phone.report("good");
        phone.now_ms += 15 * 60_000;
        let upload = phone.upload_at_last();
        let sent = payloads(&upload);
        let answer = if sent.iter().any(|payload| payload["locationId"] == "poison") {
            response(500, &Value::Null)
        } else {
            settle_all(&mut phone, &sent)
        };
        phone.complete(&upload, &answer);
        requests += 1;
        assert!(requests < 200, "never quarantined");
    }
    assert_eq!(phone.entry(poison).trouble.unwrap().status, 500);
    let waiting = phone.outbox().summary().unwrap().pending;
    assert!(waiting <= 100, "the others go on: {waiting} wait");
}

/// The answer that settles all of `sent`.
fn settle_all(phone: &mut Phone, sent: &[Value]) -> UploadResult {
    let entries = phone.outbox().entries(Some(EntryState::Sending), 1000).unwrap();
    let answer = |payload: &Value| {
        let entry = entries
            .iter()
            .find(|entry| payload["createdAt"] == entry.payload.facts.created_at.to_string().as_str());
        created(entry.unwrap().key)
    };
    match sent {
        [only] => response(201, &answer(only)),
        many => response(
            200,
            &json!({ "results": many.iter().map(|p| item(201, answer(p))).collect::<Vec<_>>() }),
        ),
    }
}

#[test]
fn in_a_batch_the_entry_with_the_server_error_waits_alone() {
    let mut phone = Phone::new();
    let keys = ["a", "b"].map(|location| phone.report(location).key);
    let failed = item(500, problem(500, "internal", "retry"));
    phone.answer(200, &json!({ "results": [failed, item(201, created(keys[1]))] }));
    let fresh = phone.report("c").key;
    assert_eq!(payloads(&phone.upload())[0]["locationId"], "c");
    phone.outbox().cancel(fresh, "x", 0).unwrap();
    assert_eq!(phone.state(keys[0]), EntryState::Pending);
}

#[test]
fn a_late_answer_to_a_given_up_upload_changes_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    phone.restart();
    phone.complete(&upload, &response(201, &created(key)));
    assert_eq!(phone.state(key), EntryState::Pending);
}
