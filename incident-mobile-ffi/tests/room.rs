//! How much one file holds, for how long, and for whom.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::fs;

use incident_mobile_ffi::outbox::{
    Draft, EntryState, Limits, NextUpload, Options, OutboxError, OutboxSettings, Spacing,
};
use support::{NOW_MS, Phone, created, draft, open, options};

const DAY_MS: i64 = 24 * 3_600_000;

fn limits(change: impl FnOnce(&mut Limits)) -> Options {
    let mut options = options();
    change(&mut options.limits);
    options
}

#[test]
fn a_full_queue_refuses_the_new_report_and_drops_none() {
    let mut phone = Phone::with(limits(|limits| limits.entries = 3));
    let keys = ["a", "b", "c"].map(|location| phone.report(location).key);
    assert!(matches!(phone.outbox().report(&draft("d"), NOW_MS), Err(OutboxError::Full)));
    phone.cancel(keys[0], "cancelling still works").unwrap();
    assert_eq!(phone.outbox().summary().unwrap().pending, 3);
}

#[test]
fn a_file_of_50_mb_refuses_the_new_report() {
    let mut phone = Phone::with(limits(|limits| limits.bytes = 200_000));
    let report = Draft { cancellation_reason: Some("x".repeat(1000)), ..draft("w") };
    let accepted = (0..1000).take_while(|_| phone.outbox().report(&report, NOW_MS).is_ok()).count();
    assert!((50..200).contains(&accepted), "{accepted}");
    assert!(matches!(phone.outbox().report(&report, NOW_MS), Err(OutboxError::Full)));
}

#[test]
fn a_disk_without_room_is_a_typed_error_and_loses_nothing() {
    let mut phone = Phone::with(Options { max_pages: Some(16), ..options() });
    let mut accepted = Vec::new();
    let error = loop {
        match phone.outbox().report(&draft("w"), NOW_MS) {
            Ok(entry) => accepted.push(entry.key),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, OutboxError::NoSpace(_)), "{error}");
    phone.restart();
    assert!(!accepted.is_empty() && accepted.into_iter().all(|key| phone.state(key) == EntryState::Pending));
}

#[test]
fn what_was_settled_30_days_ago_is_erased_from_the_file() {
    let mut phone = Phone::new();
    let key = phone.report("a-very-special-place").key;
    phone.answer(201, &created(key));
    phone.now_ms += 30 * DAY_MS - 1000;
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Settled);
    phone.now_ms += 2000;
    phone.restart();
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    drop(phone.outbox.take());
    for file in fs::read_dir(phone.folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(20).any(|window| window == b"a-very-special-place"));
    }
}

#[test]
fn an_app_may_keep_no_settled_entry_and_space_no_anonymous_one() {
    let settings =
        OutboxSettings { settled_for_ms: Some(0), longest_spacing_ms: Some(0), ..Default::default() };
    let mut phone = Phone::with(Options { seed: Some(7), ..settings.try_into().unwrap() });
    let key = phone.report("a-very-special-place").key;
    phone.answer(201, &created(key));
    assert!(matches!(phone.outbox().entry(key), Err(OutboxError::NotFound)));
    phone.report_anonymously("hidden");
    let upload = phone.upload();
    phone.complete(&upload, &support::settle_all(&upload));
    assert_eq!(phone.next(), NextUpload::Idle);
    drop(phone.outbox.take());
    assert!(!support::stands_in(phone.folder.path(), b"a-very-special-place"));
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    let with = |settled_for_ms, shortest_spacing_ms, longest_spacing_ms| {
        Options::try_from(OutboxSettings { settled_for_ms, shortest_spacing_ms, longest_spacing_ms })
    };
    let negative = [with(Some(-1), None, None), with(None, Some(-1), None), with(None, None, Some(-1))];
    let crossed = with(None, Some(2), Some(1));
    for refused in negative {
        let words = "a time of the settings is negative";
        assert!(matches!(refused, Err(OutboxError::InvalidArgument(told)) if told == words));
    }
    let longest = 36_500 * 24 * 60 * 60 * 1000;
    assert!(with(Some(longest), Some(longest), Some(longest)).is_ok());
    for too_long in [longest + 1, i64::MAX] {
        for refused in [
            with(Some(too_long), None, None),
            with(None, Some(too_long), None),
            with(None, None, Some(too_long)),
        ] {
            let words = "a time of the settings is longer than a hundred years";
            assert!(matches!(refused, Err(OutboxError::InvalidArgument(told)) if told == words));
        }
    }
    let words = "the shortest spacing is longer than the longest";
    assert!(matches!(crossed, Err(OutboxError::InvalidArgument(told)) if told == words));
}

#[test]
fn a_bound_of_the_spacing_that_is_left_out_gives_way() {
    let spacing = |shortest_spacing_ms, longest_spacing_ms| {
        let settings = OutboxSettings { settled_for_ms: None, shortest_spacing_ms, longest_spacing_ms };
        let Spacing { shortest_ms, longest_ms } = Options::try_from(settings).unwrap().spacing;
        (shortest_ms, longest_ms)
    };
    let Spacing { shortest_ms, longest_ms } = Spacing::default();
    assert_eq!(spacing(None, None), (shortest_ms, longest_ms));
    assert_eq!(spacing(None, Some(0)), (0, 0));
    assert_eq!(spacing(Some(longest_ms + 1), None), (longest_ms + 1, longest_ms + 1));
    assert_eq!(spacing(Some(3), Some(3)), (3, 3));
}

#[test]
fn beyond_the_limit_the_longest_settled_go_and_their_milliseconds_stay_taken() {
    let mut phone = Phone::with(limits(|limits| limits.settled = 2));
    let entries: Vec<_> = (0..4)
        .map(|_| {
            let entry = phone.report("w");
            phone.answer(201, &created(entry.key));
            entry
        })
        .collect();
    assert_eq!(phone.outbox().summary().unwrap().settled, 2);
    let first_ms = entries[0].payload.facts.created_at.unix_ms();
    let stepped_back = phone.outbox().report(&draft("other"), first_ms).unwrap();
    assert_eq!(stepped_back.payload.facts.created_at.unix_ms(), first_ms + 4);
}

#[test]
fn others_and_quarantined_entries_fill_nobodys_queue() {
    let mut phone = Phone::with(limits(|limits| limits.entries = 3));
    for _ in 0..3 {
        let key = phone.report("w").key;
        phone.answer(422, &support::problem(422, "validation-failed", "quarantine"));
        assert_eq!(phone.state(key), EntryState::Quarantined);
    }
    phone.report("still taken");
    drop(phone.outbox.take());
    let options = limits(|limits| limits.entries = 1);
    let mut bobs = open(&phone.path(), "bob", options, phone.now_ms).unwrap();
    bobs.report(&draft("w"), phone.now_ms).unwrap();
    assert!(matches!(bobs.report(&draft("w"), phone.now_ms), Err(OutboxError::Full)));
}

#[test]
fn a_tenth_of_the_bytes_is_there_for_new_reports_whatever_others_left() {
    let mut phone = Phone::with(limits(|limits| limits.bytes = 200_000));
    let report = Draft { cancellation_reason: Some("x".repeat(1000)), ..draft("w") };
    let of_alice = (0..1000).take_while(|_| phone.outbox().report(&report, NOW_MS).is_ok()).count();
    drop(phone.outbox.take());
    let options = limits(|limits| limits.bytes = 200_000);
    let mut bobs = open(&phone.path(), "bob", options, phone.now_ms).unwrap();
    let of_bob = (0..1000).take_while(|_| bobs.report(&report, NOW_MS).is_ok()).count();
    assert!((15..25).contains(&of_bob), "{of_alice} and {of_bob}");
}
