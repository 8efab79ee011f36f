//! What is refused for itself, and what its reporter may do about it.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{EntryState, MAX_STRIKES, NextUpload};
use serde_json::{Value, json};
use support::{Phone, created, item, payloads, problem, respond, response, settle_all};

#[test]
fn a_refused_entry_is_quarantined_with_its_problem_and_the_others_go_on() {
    let mut phone = Phone::new();
    let keys = ["a", "b", "c"].map(|location| phone.report(location).key);
    let bad = json!({"type": "/problems/validation-failed", "disposition": "quarantine",
        "errors": [{"pointer": "/locationId", "code": "too-long", "detail": "d"}]});
    let results = [item(201, created(keys[0])), item(422, bad), item(201, created(keys[2]))];
    let progress = phone.answer(200, &json!({ "results": results }));
    assert_eq!((progress.settled, progress.quarantined, progress.pending), (2, 1, 0));
    let kept = phone.entry(keys[1]).problem.unwrap();
    assert_eq!((kept.status, kept.errors[0].code.as_str()), (422, "too-long"));
    assert_eq!(phone.next(), NextUpload::Idle);
}

#[test]
fn a_quarantined_entry_is_sent_again_or_discarded_at_the_users_wish() {
    let mut phone = Phone::new();
    let keys = ["a", "b"].map(|location| phone.report(location).key);
    let bad = item(422, problem(422, "validation-failed", "quarantine"));
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
    phone.answer(400, &problem(400, "malformed-json", "quarantine"));
    assert!(keys.iter().all(|key| phone.entry(*key).state == EntryState::Pending));
    assert_eq!(payloads(&phone.upload()).len(), 2);
}

#[test]
fn a_conflict_that_is_retried_takes_the_next_free_millisecond_and_a_new_key() {
    let mut phone = Phone::new();
    let entry = phone.report("w");
    phone.answer(409, &problem(409, "idempotency-conflict", "quarantine"));
    let now_ms = phone.now_ms;
    let again = phone.outbox().retry(entry.key, now_ms).unwrap();
    assert_ne!(again.key, entry.key);
    assert_eq!((again.state, phone.state(again.key)), (EntryState::Pending, EntryState::Pending));
    let moved_ms = again.payload.facts.created_at.unix_ms() - entry.payload.facts.created_at.unix_ms();
    assert_eq!(moved_ms, 1);
    assert!(phone.outbox().entry(entry.key).is_err(), "the old key is somebody else's");
    assert_eq!(payloads(&phone.upload())[0]["createdAt"], again.payload.facts.created_at.to_string());
}

#[test]
fn a_conflict_that_is_retried_with_all_others_takes_a_new_key_too() {
    let mut phone = Phone::new();
    let entry = phone.report("w");
    phone.answer(409, &problem(409, "idempotency-conflict", "quarantine"));
    let now_ms = phone.now_ms;
    assert_eq!(phone.outbox().retry_all(None, now_ms).unwrap(), 1);
    assert!(phone.outbox().entry(entry.key).is_err(), "the old key is somebody else's");
    assert_ne!(support::keys(&phone.upload()), [entry.key]);
}

#[test]
fn all_in_quarantine_are_sent_again_or_discarded_at_once() {
    let mut phone = Phone::new();
    let refuse = |phone: &mut Phone| {
        let bad = item(422, problem(422, "validation-failed", "quarantine"));
        let sent = payloads(&phone.upload_at_last()).len();
        phone.restart();
        let results: Vec<_> = (0..sent).map(|_| bad.clone()).collect();
        phone.answer(200, &json!({ "results": results }));
    };
    for _ in 0..5 {
        phone.report("w");
    }
    refuse(&mut phone);
    let now_ms = phone.now_ms;
    assert_eq!(phone.outbox().retry_all(Some(EntryState::Quarantined), now_ms).unwrap(), 5);
    refuse(&mut phone);
    assert!(phone.outbox().discard_all(Some(EntryState::Pending)).is_err());
    assert_eq!(phone.outbox().discard_all(Some(EntryState::Quarantined)).unwrap(), 5);
    assert_eq!(phone.outbox().entries(None, 10, None).unwrap(), []);
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
            support::settle_all(&upload)
        };
        let told = phone.complete(&upload, &answer).quarantined;
        assert_eq!(told, i64::from(phone.state(poison) == EntryState::Quarantined));
        requests += 1;
        assert!(requests < 200, "never quarantined");
    }
    assert_eq!(phone.entry(poison).problem.unwrap().status, 500);
    let waiting = phone.outbox().summary().unwrap().pending;
    assert!(waiting <= 100, "the others go on: {waiting} wait");
}

#[test]
fn an_entry_that_alone_draws_somebody_elses_page_while_others_settle_is_quarantined() {
    for status in [200, 302, 403] {
        let mut phone = Phone::new();
        let blocked = phone.report("blocked").key;
        for _ in 0..2 * MAX_STRIKES {
            phone.report("good");
            phone.now_ms += 15 * 60_000;
            let upload = phone.upload_at_last();
            let is_blocked = payloads(&upload).iter().any(|payload| payload["locationId"] == "blocked");
            let page = respond(status, &[], b"<html>Blocked by policy</html>");
            phone.complete(&upload, &if is_blocked { page } else { settle_all(&upload) });
        }
        let entry = phone.entry(blocked);
        assert_eq!((entry.state, entry.attempts), (EntryState::Quarantined, 0), "{status}");
        assert_eq!(entry.problem.unwrap().status, status, "its reporter is told why");
        while let NextUpload::Send { upload } = phone.next() {
            phone.complete(&upload, &settle_all(&upload));
        }
        assert_eq!(phone.next(), NextUpload::Idle, "{status}: it holds up nobody");
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
