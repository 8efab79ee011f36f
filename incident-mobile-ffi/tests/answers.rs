//! What an answer means: the table of the promise, line by line, through the queue.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{
    EntryState, MAX_STRIKES, NetworkFailureKind, NextUpload, SignInReason, UploadResult, WaitReason,
};
use serde_json::{Value, json};
use support::{Phone, created, failure, item, no_network, payloads, problem, respond, response, settle_all};

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
fn a_network_failure_waits_for_the_whole_queue_and_costs_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    phone.complete(&upload, &no_network());
    assert_eq!(phone.wait().1, WaitReason::Offline);
    let entry = phone.entry(key);
    assert_eq!((entry.state, entry.attempts, entry.problem), (EntryState::Pending, 0, None));
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
fn the_servers_retry_after_holds_where_it_is_longer_than_the_back_off_up_to_a_day() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let busy = problem(429, "rate-limited", "retry").to_string();
    for (asked, held_ms) in [("3600", 3_600_000), ("999999999", 24 * 3_600_000)] {
        let upload = phone.upload();
        phone.complete(&upload, &respond(429, &[("retry-after", asked)], busy.as_bytes()));
        let now_ms = phone.now_ms;
        phone.outbox().retry(key, now_ms).unwrap();
        phone.outbox().network_changed().unwrap();
        assert_eq!(phone.wait(), (held_ms, WaitReason::ServerBusy));
    }
}

#[test]
fn a_portals_retry_after_holds_a_quarter_of_an_hour_at_most_and_the_user_ends_it() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    for status in [200, 302, 403, 429, 503] {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &respond(status, &[("Retry-After", "86400")], b"<html>Pay first</html>"));
        let NextUpload::Wait { until, .. } = phone.next() else { panic!("{status}: no wait") };
        assert_eq!(until.0 - phone.now_ms, 15 * 60_000, "{status}");
        let now_ms = phone.now_ms;
        phone.outbox().retry(key, now_ms).unwrap();
        phone.upload();
        phone.restart();
    }
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
fn a_token_without_the_scope_asks_to_sign_in() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(403, &problem(403, "forbidden", "quarantine"));
    assert!(matches!(phone.next(), NextUpload::SignIn { why: SignInReason::Forbidden, .. }));
    assert_eq!((phone.state(key), phone.entry(key).attempts), (EntryState::Pending, 0));
}

#[test]
fn a_batch_that_a_slow_line_cannot_carry_is_halved_and_an_entry_alone_waits() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..8).map(|_| phone.report("w").key).collect();
    for expected in [8, 4, 2, 1, 1] {
        let upload = phone.upload_at_last();
        assert_eq!(payloads(&upload).len(), expected);
        phone.complete(&upload, &failure(NetworkFailureKind::TimedOut, true));
        assert_eq!(phone.wait().1, WaitReason::TimedOut);
    }
    let upload = phone.upload_at_last();
    phone.complete(&upload, &response(201, &created(keys[0])));
    assert_eq!(payloads(&phone.upload()).len(), 1, "what was too much once is not tried again");
}

#[test]
fn another_network_a_new_report_and_a_retry_end_a_back_off_of_ours() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    for round in 0..3 {
        for _ in 0..12 {
            let upload = phone.upload_at_last();
            phone.complete(&upload, &no_network());
        }
        assert!(matches!(phone.next(), NextUpload::Wait { why: WaitReason::Offline, .. }));
        let now_ms = phone.now_ms;
        match round {
            0 => phone.outbox().network_changed().unwrap(),
            1 => drop(phone.report("later")),
            _ => drop(phone.outbox().retry(key, now_ms).unwrap()),
        }
        phone.upload();
        phone.restart();
    }
}

#[test]
fn how_the_network_failed_is_said_and_no_platforms_words_are_repeated() {
    let mut phone = Phone::new();
    phone.report("w");
    for (kind, expected) in [
        (NetworkFailureKind::Offline, WaitReason::Offline),
        (NetworkFailureKind::Tls, WaitReason::Tls),
        (NetworkFailureKind::Refused, WaitReason::Refused),
        (NetworkFailureKind::TimedOut, WaitReason::TimedOut),
        (NetworkFailureKind::Other, WaitReason::NoAnswer),
    ] {
        let upload = phone.upload_at_last();
        let detail = "Unexpected char in Authorization value: Bearer secret".to_owned();
        phone.complete(&upload, &UploadResult::NetworkFailure { kind, detail, sent: false });
        let NextUpload::Wait { why, detail, until } = phone.next() else { continue };
        assert_eq!(why, expected);
        assert!(!detail.is_empty() && !detail.contains("secret"));
        phone.now_ms = until.0;
    }
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
fn another_network_ends_the_wait_that_somebody_elses_answer_gave_one_entry() {
    let mut phone = Phone::new();
    phone.report("blocked");
    let blocked = respond(403, &[], b"<html>Blocked by policy</html>");
    let mut waits = 0;
    for _ in 0..10 {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &blocked);
        if let NextUpload::Wait { why, .. } = phone.next() {
            assert_eq!(why, WaitReason::NotTheServer);
            waits += 1;
        }
        phone.outbox().network_changed().unwrap();
        let at_once = phone.upload();
        phone.complete(&at_once, &UploadResult::Cancelled);
    }
    assert!(waits > 5, "{waits}");
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
            support::settle_all(&upload)
        };
        phone.complete(&upload, &answer);
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

#[test]
fn a_late_answer_to_a_given_up_upload_changes_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    phone.restart();
    phone.complete(&upload, &response(201, &created(key)));
    assert_eq!(phone.state(key), EntryState::Pending);
}
