//! What an answer means: the table of the promise, line by line, through the queue.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{EntryState, NextUpload, Options, SignInReason, UploadResult, WaitReason};
use serde_json::{Value, json};
use support::{Phone, created, item, open, payloads, problem, respond, response};

#[test]
fn the_contracts_answer_settles_and_is_kept() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let progress = phone.answer(201, &created(key));
    assert_eq!((progress.settled, progress.quarantined, progress.pending), (1, 0, 0));
    let entry = phone.entry(key);
    assert_eq!((entry.state, entry.attempts), (EntryState::Settled, 1));
    assert_eq!(entry.incident.unwrap().received_at.0, 1_795_348_800_000);
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

/// Two phones of one person can report in the same millisecond, and so under the same key.
#[test]
fn the_answer_to_another_report_under_the_same_key_settles_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    let mut answer = created(key);
    answer["incident"].as_object_mut().unwrap().extend(payloads(&upload)[0].as_object().unwrap().clone());
    answer["incident"]["locationId"] = json!("elsewhere");

    phone.complete(&upload, &response(201, &answer));

    assert_eq!(phone.state(key), EntryState::Pending);
    assert_eq!(phone.wait().1, WaitReason::NotTheServer);
    answer["incident"]["locationId"] = json!("w");
    let again = phone.upload_at_last();
    phone.complete(&again, &response(200, &answer));
    assert_eq!(phone.state(key), EntryState::Settled);
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
        let entry = phone.entry(key);
        assert_eq!((entry.state, entry.attempts, entry.problem), (EntryState::Pending, 0, None));
        assert_eq!(phone.wait().1, WaitReason::NotTheServer);
    }
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
fn who_does_not_know_what_it_was_given_hands_it_back_too() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    let now_ms = phone.now_ms;
    phone.outbox().complete_upload(0, &response(201, &created(key)), now_ms).unwrap();
    assert_eq!(phone.state(key), EntryState::Sending);
    phone.outbox().complete_upload(0, &UploadResult::Cancelled, now_ms).unwrap();
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
    assert!(matches!(phone.next(), NextUpload::SignIn { why: SignInReason::Unauthorized, .. }));
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
fn a_firewalls_page_is_waited_out_by_the_whole_queue_and_costs_no_entry_its_place() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..250).map(|_| phone.report("w").key).collect();
    for _ in 0..60 {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &respond(403, &[], b"<html>Blocked by policy</html>"));
        let waits = matches!(phone.next(), NextUpload::Wait { why: WaitReason::NotTheServer, .. });
        assert!(waits || payloads(&phone.upload_at_last()).len() < 100, "it only goes on in smaller parts");
        phone.restart();
    }
    assert!(keys.iter().all(|key| phone.state(*key) == EntryState::Pending));
}

#[test]
fn another_persons_token_asks_to_sign_in_and_costs_no_entry_anything() {
    let mut phone = Phone::new();
    let keys = ["a", "b"].map(|location| phone.report(location).key);
    let refused = item(422, problem(422, "idempotency-key-mismatch", "quarantine"));
    phone.answer(200, &json!({ "results": [refused.clone(), refused] }));
    assert!(matches!(phone.next(), NextUpload::SignIn { why: SignInReason::WrongReporter, .. }));
    for key in keys {
        let entry = phone.entry(key);
        assert_eq!((entry.state, entry.attempts, entry.problem), (EntryState::Pending, 0, None));
    }
    phone.outbox().token_changed();
    phone.upload();
}

#[test]
fn another_persons_token_costs_a_named_report_that_goes_alone_nothing_either() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(422, &problem(422, "idempotency-key-mismatch", "quarantine"));
    assert!(matches!(phone.next(), NextUpload::SignIn { why: SignInReason::WrongReporter, .. }));
    assert_eq!((phone.state(key), phone.entry(key).attempts), (EntryState::Pending, 0));
}

#[test]
fn a_token_without_the_scope_asks_to_sign_in() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(403, &problem(403, "forbidden", "quarantine"));
    assert!(matches!(phone.next(), NextUpload::SignIn { why: SignInReason::Forbidden, .. }));
    assert_eq!((phone.state(key), phone.entry(key).attempts), (EntryState::Pending, 0));
}

#[test]
fn what_the_server_has_erased_is_erased_here() {
    let mut phone = Phone::new();
    let key = phone.report("a-very-special-place").key;
    let erased = json!({"outcome": "erased", "disposition": "settled", "idempotencyKey": key,
        "incident": {"id": "01a202c0-f648-8114-8d97-64d571c679d1", "status": "Erased"}});
    let progress = phone.answer(200, &erased);
    assert_eq!((progress.settled, progress.pending), (1, 0));
    assert!(phone.outbox().entry(key).is_err());
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

#[test]
fn an_answer_to_an_upload_of_an_earlier_opening_is_not_taken_for_that_of_the_next() {
    // Each opening with chance of its own, as in an app.
    let mut phone = Phone::with(Options::default());
    let key = phone.report("w").key;
    let older = phone.upload();
    phone.outbox = None;
    phone.outbox = Some(open(&phone.path(), "alice", Options::default(), phone.now_ms).unwrap());
    phone.cancel(key, "false alarm").unwrap();
    phone.upload();
    phone.complete(&older, &response(201, &created(key)));
    assert_eq!(phone.state(key), EntryState::Sending);
}
