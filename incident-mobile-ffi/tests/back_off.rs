//! How long the queue waits after an answer or none, and what ends the wait.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{
    EntryState, MAX_STRIKES, NetworkFailureKind, NextUpload, UploadResult, WaitReason,
};
use serde_json::json;
use support::{Phone, failure, item, no_network, payloads, problem, respond, response, settle_all};

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
fn a_batch_that_a_slow_line_cannot_carry_is_halved_and_an_entry_alone_waits() {
    let mut phone = Phone::new();
    report(&mut phone, 8);
    for expected in [8, 4, 2, 1, 1] {
        assert_eq!(time_out(&mut phone), expected);
        assert_eq!(phone.wait().1, WaitReason::TimedOut);
    }
    assert_eq!(carried(&mut phone), [1, 2, 3, 2], "what was too much is tried again by one more at a time");
}

#[test]
fn on_another_network_batches_grow_by_doubling_again() {
    let mut phone = Phone::new();
    report(&mut phone, 32);
    for _ in 0..5 {
        time_out(&mut phone);
    }
    phone.outbox().network_changed().unwrap();
    assert_eq!(carried(&mut phone), [1, 2, 4, 8, 16, 1]);
}

#[test]
fn a_report_that_times_out_alone_makes_no_batch_of_others_smaller() {
    let mut phone = Phone::new();
    report(&mut phone, 1);
    assert_eq!(time_out(&mut phone), 1);
    report(&mut phone, 100);
    assert_eq!(carried(&mut phone), [100, 1]);
}

fn report(phone: &mut Phone, count: usize) {
    for _ in 0..count {
        phone.report("w");
    }
}

/// How many reports the upload had that a slow line could not carry.
fn time_out(phone: &mut Phone) -> usize {
    let upload = phone.upload_at_last();
    phone.complete(&upload, &failure(NetworkFailureKind::TimedOut, true));
    payloads(&upload).len()
}

/// How many reports each upload has until all are settled.
fn carried(phone: &mut Phone) -> Vec<usize> {
    let mut sizes = Vec::new();
    while phone.outbox().summary().unwrap().pending > 0 {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &settle_all(&upload));
        sizes.push(payloads(&upload).len());
    }
    sizes
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
fn a_batch_whose_entries_are_all_put_off_waits_as_long_as_the_server_asks() {
    let mut phone = Phone::new();
    phone.report("a");
    phone.report("b");
    let busy = item(429, problem(429, "rate-limited", "retry"));
    let body = json!({ "results": [busy.clone(), busy] }).to_string();
    let upload = phone.upload();
    phone.complete(&upload, &respond(200, &[("Retry-After", "3600")], body.as_bytes()));
    assert_eq!(phone.wait(), (3_600_000, WaitReason::ServerBusy));
}
