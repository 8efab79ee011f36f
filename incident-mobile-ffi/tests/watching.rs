//! Whoever watches sees every change, by whatever process, and holds up nobody.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
};

use incident_mobile_ffi::{
    api,
    outbox::{NextUpload, Seen},
};
use support::{Phone, damage::spoil_head, example, open, options, settle_all};

#[track_caller]
fn pending(phone: &mut Phone, seen: &mut Seen) -> Option<i64> {
    phone.outbox().changed(seen).unwrap().map(|summary| summary.pending)
}

#[test]
fn the_first_look_shows_what_is_there_and_any_number_of_changes_are_one() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    phone.report("a");
    assert_eq!(pending(&mut phone, &mut seen), Some(1));
    assert_eq!(pending(&mut phone, &mut seen), None);
    for location in ["b", "c", "d"] {
        phone.report(location);
    }
    assert_eq!(pending(&mut phone, &mut seen), Some(4));
    assert_eq!(pending(&mut phone, &mut seen), None);
}

#[test]
fn a_change_that_changes_no_number_is_one_too() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    let key = phone.report("a").key;
    pending(&mut phone, &mut seen);
    phone.cancel(key, "false alarm").unwrap();
    assert_eq!(pending(&mut phone, &mut seen), Some(1));
}

#[test]
fn an_upload_and_its_answer_are_seen() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    phone.report("a");
    pending(&mut phone, &mut seen);
    let upload = phone.upload();
    assert_eq!(phone.outbox().changed(&mut seen).unwrap().unwrap().sending, 1);
    phone.complete(&upload, &settle_all(&upload));
    let summary = phone.outbox().changed(&mut seen).unwrap().unwrap();
    assert_eq!((summary.sending, summary.settled), (0, 1));
    assert_eq!(phone.next(), NextUpload::Idle);
}

#[test]
fn what_another_process_reports_is_seen() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    assert_eq!(pending(&mut phone, &mut seen), Some(0));
    let mut child = example("steady_reporter", &phone.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut last = 0;
    for reported in 1..=3 {
        assert_ne!(lines.read_line(&mut String::new()).unwrap(), 0, "it reports on");
        // It may be further than it has said.
        last = pending(&mut phone, &mut seen).unwrap_or(last);
        assert!(last >= reported);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn what_another_outbox_of_this_process_does_is_seen() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    pending(&mut phone, &mut seen);
    let mut other = open(&phone.path(), "alice", options(), phone.now_ms).unwrap();
    pending(&mut phone, &mut seen);
    other.report(&support::draft("a"), phone.now_ms).unwrap();
    assert_eq!(pending(&mut phone, &mut seen), Some(1));
    drop(other);
    assert_eq!(pending(&mut phone, &mut seen).unwrap_or(1), 1);
}

#[test]
fn a_repair_by_another_is_a_change_and_no_end() {
    let (mut phone, mut seen) = (Phone::new(), Seen::default());
    phone.report("a");
    pending(&mut phone, &mut seen);
    spoil_head(&phone.path());
    let repairer = open(&phone.path(), "alice", options(), phone.now_ms).unwrap();
    assert!(repairer.recovery().is_some());
    assert_eq!(pending(&mut phone, &mut seen), Some(1));
}

fn api_outbox(phone: &mut Phone) -> std::sync::Arc<api::Outbox> {
    drop(phone.outbox.take());
    api::Outbox::open(phone.path().display().to_string(), "alice".into(), None, None, None).unwrap()
}

#[test]
fn a_watcher_ends_with_its_outbox_and_may_outlive_it() {
    let mut phone = Phone::new();
    let outbox = api_outbox(&mut phone);
    let watcher = outbox.clone().watch().unwrap();
    let step = watcher.look().unwrap();
    assert!(step.summary.is_some() && (1..=1000).contains(&step.again_ms));
    assert_eq!(watcher.look().unwrap().summary, None);
    outbox.close().unwrap();
    drop(outbox);
    assert_eq!(watcher.look(), Err(api::OutboxError::Closed));
}

#[test]
fn each_watcher_sees_every_change_for_itself() {
    let mut phone = Phone::new();
    phone.report("a");
    let outbox = api_outbox(&mut phone);
    let watchers: Vec<_> = (0..100).map(|_| outbox.clone().watch().unwrap()).collect();
    for watcher in &watchers {
        assert_eq!(watcher.look().unwrap().summary.unwrap().pending, 1);
    }
}
