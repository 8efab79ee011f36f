//! Anonymous reports keep their distance from named ones.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{EntryState, NextUpload, Options, Spacing, WaitReason};
use support::{Phone, no_network, open, options, payloads, problem, settle_all};

const MINUTE_MS: i64 = 60_000;

fn settle_next(phone: &mut Phone) {
    let upload = phone.upload_at_last();
    phone.complete(&upload, &settle_all(&upload));
}

#[test]
fn after_a_named_report_an_anonymous_one_waits_2_to_10_minutes_and_named_ones_do_not() {
    let mut waits = Vec::new();
    for seed in 0..20 {
        let mut phone = Phone::with(Options { seed: Some(seed), ..options() });
        phone.report("a");
        settle_next(&mut phone);
        phone.report_anonymously("hidden");
        let NextUpload::Wait { until, why: WaitReason::Spacing, .. } = phone.next() else {
            panic!("no distance")
        };
        waits.push(until.0 - phone.now_ms);
        phone.report("b");
        assert_eq!(payloads(&phone.upload())[0]["locationId"], "b");
    }
    assert!(waits.iter().all(|wait| (2 * MINUTE_MS - 5..=10 * MINUTE_MS).contains(wait)), "{waits:?}");
    assert!(waits.iter().max().unwrap() - waits.iter().min().unwrap() > 3 * MINUTE_MS, "{waits:?}");
}

#[test]
fn the_distance_outlives_a_restart_a_lost_answer_and_the_users_impatience() {
    let mut phone = Phone::new();
    phone.report("a");
    let key = phone.report_anonymously("hidden").key;
    phone.upload();
    phone.restart();
    settle_next(&mut phone);
    phone.restart();
    let now_ms = phone.now_ms;
    phone.outbox().retry(key, now_ms).unwrap();
    phone.outbox().network_changed().unwrap();
    let (waited_ms, why) = phone.wait();
    assert_eq!(why, WaitReason::Spacing);
    assert!(waited_ms >= 2 * MINUTE_MS - 5);
    assert_eq!(support::keys(&phone.upload()), [key]);
}

#[test]
fn after_a_repair_nobody_knows_when_the_last_named_report_went_and_an_anonymous_one_waits() {
    let mut phone = Phone::new();
    phone.report_anonymously("hidden");
    drop(phone.outbox.take());
    let mut bytes = std::fs::read(phone.path()).unwrap();
    bytes[..100].fill(42);
    std::fs::write(phone.path(), bytes).unwrap();
    phone.restart();
    assert_eq!(phone.outbox().recovery().unwrap().saved, 1);

    let (waited_ms, why) = phone.wait();

    assert_eq!((waited_ms, why), (10 * MINUTE_MS, WaitReason::Spacing));
    phone.upload();
}

#[test]
fn a_named_report_without_an_answer_keeps_the_anonymous_ones_away_too() {
    let mut phone = Phone::new();
    let key = phone.report("a").key;
    let upload = phone.upload();
    phone.complete(&upload, &no_network());
    phone.report_anonymously("hidden");
    let left_ms = 2 * MINUTE_MS - 5;
    let begun_ms = phone.now_ms;
    loop {
        let upload = phone.upload_at_last();
        if support::keys(&upload) != [key] {
            break;
        }
        phone.complete(&upload, &settle_all(&upload));
    }
    assert!(phone.now_ms - begun_ms >= left_ms);
}

#[test]
fn a_named_report_whose_sender_died_keeps_the_next_persons_anonymous_ones_away() {
    let mut phone = Phone::new();
    phone.report("a");
    phone.upload();
    phone.sign_in("bob");
    let key = phone.report_anonymously("hidden").key;
    let begun_ms = phone.now_ms;
    assert_eq!(support::keys(&phone.upload_at_last()), [key]);
    assert!(phone.now_ms - begun_ms >= 2 * MINUTE_MS - 5);
}

#[test]
fn a_clock_set_back_makes_the_distance_no_longer_and_it_comes_to_an_end() {
    let mut phone = Phone::new();
    phone.report("a");
    settle_next(&mut phone);
    phone.report_anonymously("hidden");
    phone.now_ms -= 365 * 24 * 60 * MINUTE_MS;
    assert!(phone.wait().0 <= 10 * MINUTE_MS);
    assert_eq!(payloads(&phone.upload())[0]["isAnonymous"], true);
}

#[test]
fn without_a_distance_and_without_named_reports_nothing_waits() {
    let mut phone = Phone::with(Options { spacing: Spacing::NONE, ..options() });
    phone.report("a");
    settle_next(&mut phone);
    phone.report_anonymously("hidden");
    phone.upload();
    let mut phone = Phone::new();
    for _ in 0..3 {
        phone.report_anonymously("hidden");
        let upload = phone.upload();
        phone.complete(&upload, &settle_all(&upload));
    }
}

#[test]
fn an_anonymous_report_asks_for_a_connection_of_its_own() {
    let mut phone = Phone::new();
    let closes = |upload: &incident_mobile_ffi::outbox::Upload| {
        upload
            .headers
            .iter()
            .any(|header| (header.name.as_str(), header.value.as_str()) == ("Connection", "close"))
    };
    phone.report_anonymously("hidden");
    assert!(closes(&phone.upload()));
    let mut phone = Phone::new();
    phone.report("a");
    assert!(!closes(&phone.upload()));
}

#[test]
fn a_refused_sealed_key_is_the_reports_own_fault() {
    let mut phone = Phone::new();
    let key = phone.report_anonymously("hidden").key;
    phone.answer(422, &problem(422, "idempotency-key-mismatch", "quarantine"));
    assert_eq!(phone.state(key), EntryState::Quarantined);
}

#[test]
fn an_app_that_keeps_no_distance_waits_for_none_and_leaves_that_of_others() {
    let mut phone = Phone::new();
    phone.report("a");
    settle_next(&mut phone);
    phone.report_anonymously("hidden");
    drop(phone.outbox.take());
    let without = Options { spacing: Spacing::NONE, ..options() };
    phone.outbox = Some(open(&phone.path(), "alice", without, phone.now_ms).unwrap());
    phone.upload();
    phone.restart();
    assert_eq!(phone.wait().1, WaitReason::Spacing);
}

#[test]
fn a_clock_set_back_lets_nothing_be_asked_again_later_than_after_a_quarter_of_an_hour() {
    let hour = Spacing { shortest_ms: 60 * MINUTE_MS, longest_ms: 60 * MINUTE_MS };
    let mut phone = Phone::with(Options { spacing: hour, ..options() });
    phone.report_anonymously("hidden");
    phone.answer(500, &problem(500, "internal", "retry"));
    phone.report("a");
    settle_next(&mut phone);
    phone.now_ms -= 365 * 24 * 60 * MINUTE_MS;
    let NextUpload::Wait { until, why: WaitReason::ServerBusy, .. } = phone.next() else { panic!("no wait") };
    assert_eq!(until.0 - phone.now_ms, 15 * MINUTE_MS);
}
