//! What goes out: oldest first, together or alone, once at a time, and when.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{BATCH_PATH, Draft, MAX_UPLOAD_BYTES, NextUpload, SYNC_PATH, WaitReason};
use support::{Phone, created, draft, no_network, payloads, respond, settle_all};

const BUSY: &[u8] = br#"{"type": "/problems/overloaded", "disposition": "retry"}"#;

#[test]
fn one_entry_goes_alone_under_its_key() {
    let mut phone = Phone::new();
    let entry = phone.report("w");
    let upload = phone.upload();
    assert_eq!((upload.method.as_str(), upload.path.as_str()), ("POST", SYNC_PATH));
    assert_eq!(upload.body, entry.payload.to_canonical_json().as_bytes());
    let key = upload.headers.iter().find(|header| header.name == "Idempotency-Key").unwrap();
    assert_eq!(key.value, format!("\"{}\"", entry.key));
}

#[test]
fn many_go_oldest_first_a_hundred_at_a_time_each_with_its_key() {
    let mut phone = Phone::new();
    let entries: Vec<_> = (0..130).map(|n| phone.report(&format!("w{n}"))).collect();
    let upload = phone.upload();
    assert_eq!(upload.path, BATCH_PATH);
    assert!(upload.headers.iter().all(|header| header.name != "Idempotency-Key"));
    let oldest: Vec<_> = entries[..100].iter().map(|entry| (&entry.payload, entry.key)).collect();
    assert_eq!(upload.body, incident_core::encode_batch(&oldest).as_bytes());
}

#[test]
fn long_entries_make_smaller_uploads() {
    let mut phone = Phone::new();
    for _ in 0..100 {
        let report = Draft { cancellation_reason: Some("\u{1f9ef}".repeat(1000)), ..draft("w") };
        let now_ms = phone.now_ms;
        phone.outbox().report(&report, now_ms).unwrap();
    }
    let upload = phone.upload();
    assert!((MAX_UPLOAD_BYTES - 5000..=MAX_UPLOAD_BYTES).contains(&upload.body.len()));
}

#[test]
fn an_anonymous_entry_shares_no_request_and_lets_the_named_ones_go_first() {
    let mut phone = Phone::new();
    let reports = [("hidden", true), ("a", false), ("hidden too", true), ("b", false)];
    for (location, anonymous) in reports {
        if anonymous {
            phone.report_anonymously(location)
        } else {
            phone.report(location)
        };
    }
    let mut requests = Vec::new();
    for _ in 0..3 {
        let upload = phone.upload_at_last();
        let sent = payloads(&upload);
        requests.push(sent.iter().map(|payload| payload["locationId"].clone()).collect::<Vec<_>>());
        let answer = settle_all(&upload);
        phone.complete(&upload, &answer);
    }
    assert_eq!(requests, [vec!["a", "b"], vec!["hidden"], vec!["hidden too"]]);
    assert_eq!(phone.next(), NextUpload::Idle);
}

#[test]
fn one_upload_at_a_time_and_an_abandoned_one_lapses() {
    let mut phone = Phone::new();
    phone.report("w");
    let upload = phone.upload();
    let (waited_ms, why) = phone.wait();
    assert_eq!(why, WaitReason::AnotherSender);
    assert!((upload.timeout_ms..=upload.timeout_ms + 15_000).contains(&waited_ms));
    assert_eq!(phone.upload().body, upload.body);
}

#[test]
fn the_back_off_grows_to_a_quarter_of_an_hour_and_a_success_resets_it() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let mut longest_ms = 0;
    for _ in 0..40 {
        let upload = phone.upload_at_last();
        phone.complete(&upload, &no_network());
        if let NextUpload::Wait { until, .. } = phone.next() {
            longest_ms = longest_ms.max(until.0 - phone.now_ms);
        }
    }
    assert!((600_000..=900_000).contains(&longest_ms), "{longest_ms}");
    let upload = phone.upload_at_last();
    phone.complete(&upload, &support::response(201, &created(key)));
    phone.report("next");
    let upload = phone.upload();
    phone.complete(&upload, &no_network());
    if let NextUpload::Wait { until, .. } = phone.next() {
        assert!(until.0 - phone.now_ms <= 2_000);
    }
}

#[test]
fn a_restart_does_not_forget_what_the_server_asked() {
    let mut phone = Phone::new();
    phone.report("w");
    let upload = phone.upload();
    phone.complete(&upload, &respond(503, &[("Retry-After", "3600")], BUSY));
    phone.restart();
    assert_eq!(phone.wait(), (3_600_000, WaitReason::ServerBusy));
}

#[test]
fn a_clock_set_back_cannot_freeze_the_queue() {
    let mut phone = Phone::new();
    phone.report("w");
    let upload = phone.upload();
    phone.complete(&upload, &respond(503, &[("Retry-After", "600")], BUSY));
    phone.now_ms -= 365 * 24 * 3_600_000;
    let (waited_ms, _) = phone.wait();
    assert!(waited_ms <= 900_000, "{waited_ms}");
    phone.upload();
}

#[test]
fn the_users_retry_ends_a_back_off_but_not_the_servers_wish() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let upload = phone.upload();
    phone.complete(&upload, &no_network());
    let now_ms = phone.now_ms;
    phone.outbox().retry(key, now_ms).unwrap();
    let upload = phone.upload();
    phone.complete(&upload, &respond(503, &[], b""));
    phone.outbox().retry(key, now_ms).unwrap();
    let upload = phone.upload();
    phone.complete(&upload, &respond(503, &[("Retry-After", "3600")], BUSY));
    phone.outbox().retry(key, now_ms).unwrap();
    assert_eq!(phone.wait().0, 3_600_000);
}
