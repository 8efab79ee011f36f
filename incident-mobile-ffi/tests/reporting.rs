//! A report: checked, named, durable; never lost by a restart, never two under one name.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_core::{Code, IdempotencyKey, Reporter, Timestamp};
use incident_mobile_ffi::outbox::{Draft, EntryState, OutboxError};
use support::{NOW_MS, Phone, draft};

#[test]
fn an_accepted_report_is_there_after_a_restart() {
    let mut phone = Phone::new();
    let reported = phone.report("ward-7");
    phone.restart();
    assert_eq!(phone.entry(reported.key), reported);
    assert_eq!(reported.state, EntryState::Pending);
}

#[test]
fn the_key_is_the_one_that_the_server_derives() {
    let mut phone = Phone::new();
    let entry = phone.report("ward-7");
    let created_at = Timestamp::from_unix_ms(NOW_MS + 1).unwrap();
    assert_eq!(entry.key, IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), created_at));
}

#[test]
fn a_bad_draft_is_refused_with_all_its_violations_and_nothing_is_queued() {
    let mut phone = Phone::new();
    let bad = Draft {
        room_number: Some("x".repeat(65)),
        longitude: f64::NAN,
        created_at_ms: Some(-1),
        cancellation_reason: Some(" ".into()),
        ..draft(" ")
    };
    let Err(OutboxError::Invalid(violations)) = phone.outbox().report(&bad, NOW_MS) else { panic!("taken") };
    let found: Vec<_> =
        violations.iter().map(|violation| (violation.pointer.as_str(), violation.code)).collect();
    assert_eq!(
        found,
        [
            ("/locationId", Code::Blank),
            ("/roomNumber", Code::TooLong),
            ("/gpsCoordinates/coordinates/0", Code::OutOfRange),
            ("/createdAt", Code::Timestamp),
            ("/cancellationReason", Code::Blank),
        ]
    );
    assert_eq!(phone.outbox().summary().unwrap().pending, 0);
}

#[test]
fn reports_of_one_millisecond_get_the_next_free_one() {
    let mut phone = Phone::new();
    let moments: Vec<i64> = (0..5)
        .map(|_| phone.outbox().report(&draft("w"), NOW_MS).unwrap().payload.facts.created_at.unix_ms())
        .collect();
    assert_eq!(moments, [NOW_MS, NOW_MS + 1, NOW_MS + 2, NOW_MS + 3, NOW_MS + 4]);
}

#[test]
fn a_clock_that_steps_back_onto_a_report_moves_past_it() {
    let mut phone = Phone::new();
    phone.outbox().report(&draft("a"), NOW_MS).unwrap();
    phone.outbox().report(&draft("b"), NOW_MS + 1).unwrap();
    phone.restart();
    let stepped_back = phone.outbox().report(&draft("c"), NOW_MS).unwrap();
    assert_eq!(stepped_back.payload.facts.created_at.unix_ms(), NOW_MS + 2);
}

#[test]
fn a_given_moment_is_kept_to_the_first_and_last_millisecond() {
    let mut phone = Phone::new();
    let last_ms = Timestamp::MAX.unix_ms();
    for (given_ms, kept_ms) in [(1, 1), (1, 2), (last_ms, last_ms)] {
        let report = Draft { created_at_ms: Some(given_ms), ..draft("w") };
        let entry = phone.outbox().report(&report, NOW_MS).unwrap();
        assert_eq!(entry.payload.facts.created_at.unix_ms(), kept_ms);
    }
    let report = Draft { created_at_ms: Some(last_ms), ..draft("w") };
    assert!(matches!(phone.outbox().report(&report, NOW_MS), Err(OutboxError::Invalid(_))));
}

#[test]
fn a_given_moment_beyond_all_is_a_violation() {
    let mut phone = Phone::new();
    let last_second_ms = i64::MAX - i64::MAX % 1000;
    for given_ms in [i64::MIN, i64::MAX].into_iter().chain([last_second_ms; 20]) {
        let report = Draft { created_at_ms: Some(given_ms), ..draft("w") };
        let refused = phone.outbox().report(&report, NOW_MS);
        assert!(matches!(refused, Err(OutboxError::Invalid(_))), "{given_ms}: {refused:?}");
    }
}

#[test]
fn a_given_moment_without_milliseconds_gets_random_ones() {
    let mut phone = Phone::new();
    let picked_ms = NOW_MS - NOW_MS % 1000;
    let report = Draft { created_at_ms: Some(picked_ms), ..draft("w") };
    let moments: Vec<i64> = (0..5)
        .map(|_| phone.outbox().report(&report, NOW_MS).unwrap().payload.facts.created_at.unix_ms())
        .collect();
    assert!(moments.iter().all(|moment| moment / 1000 == picked_ms / 1000), "{moments:?}");
    assert!(moments.iter().any(|moment| moment % 1000 > 10), "{moments:?}");
}

#[test]
fn entries_are_listed_in_pages() {
    let mut phone = Phone::new();
    let keys: Vec<_> = (0..7).map(|_| phone.report("w").key).collect();
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = phone.outbox().entries(Some(EntryState::Pending), 3, after).unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        listed.extend(page.iter().map(|entry| entry.key));
    }
    assert_eq!(listed, keys.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn entries_are_listed_newest_first_by_state_and_limit() {
    let mut phone = Phone::new();
    let keys: Vec<_> = ["a", "b", "c"].map(|location| phone.report(location).key).into();
    let listed = phone.outbox().entries(None, 2, None).unwrap();
    assert_eq!(listed.iter().map(|entry| entry.key).collect::<Vec<_>>(), [keys[2], keys[1]]);
    assert_eq!(phone.outbox().entries(Some(EntryState::Settled), 10, None).unwrap(), []);
    assert_eq!(phone.outbox().entries(Some(EntryState::Pending), 10, None).unwrap().len(), 3);
}

#[test]
fn a_list_of_fewer_than_no_entries_is_refused() {
    let mut phone = Phone::new();
    phone.report("w");
    let refused = phone.outbox().entries(None, -1, None);
    assert!(matches!(refused, Err(OutboxError::InvalidArgument("the limit of a list is negative"))));
    assert_eq!(phone.outbox().entries(None, 0, None).unwrap(), []);
    assert_eq!(phone.outbox().entries(None, i64::MAX, None).unwrap().len(), 1);
}

#[test]
fn another_reporter_sees_nothing_and_the_first_ones_entries_wait() {
    let mut phone = Phone::new();
    let key = phone.report("a").key;
    phone.sign_in("bob");
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    assert!(matches!(phone.cancel(key, "x"), Err(OutboxError::NotFound)));
    assert_eq!(phone.next(), incident_mobile_ffi::outbox::NextUpload::Idle);
    let summary = phone.outbox().summary().unwrap();
    assert_eq!((summary.pending, summary.of_others), (0, 1));
    phone.sign_in("alice");
    assert_eq!(phone.state(key), EntryState::Pending);
}
