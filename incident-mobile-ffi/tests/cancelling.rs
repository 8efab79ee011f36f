//! A report is called off: the server shall know both, and the first reason stays.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use incident_mobile_ffi::outbox::{EntryState, OutboxError};
use support::{Phone, created, payloads, problem, response, settled};

#[test]
fn a_pending_report_goes_out_together_with_its_reason() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.cancel(key, " false alarm ").unwrap();
    let sent = payloads(&phone.upload());
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0]["cancellationReason"], "false alarm");
}

#[test]
fn the_answer_to_the_older_revision_does_not_settle_a_cancellation() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let older = phone.upload();
    assert_eq!(phone.cancel(key, "false alarm").unwrap().state, EntryState::Sending);
    let progress = phone.complete(&older, &response(201, &created(key)));
    assert_eq!((progress.settled, progress.pending), (0, 1));
    phone.answer(200, &settled(key, "cancelled", "Cancelled"));
    assert_eq!(phone.state(key), EntryState::Settled);
}

#[test]
fn the_answer_of_a_gateway_that_keeps_the_first_one_does_not_settle_a_cancellation() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(201, &created(key));
    phone.cancel(key, "false alarm").unwrap();
    let progress = phone.answer(201, &created(key));
    assert_eq!((progress.settled, progress.pending), (0, 1));
    let again = phone.upload_at_last();
    phone.complete(&again, &response(200, &settled(key, "cancelled", "Cancelled")));
    assert_eq!(phone.state(key), EntryState::Settled);
}

#[test]
fn the_refusal_of_the_older_revision_does_not_quarantine_a_cancellation() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let older = phone.upload();
    phone.cancel(key, "false alarm").unwrap();
    phone.complete(&older, &response(409, &problem(409, "idempotency-conflict", "quarantine")));
    assert_eq!(phone.state(key), EntryState::Pending);
}

#[test]
fn a_settled_open_report_is_pending_again_with_its_reason() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(201, &created(key));
    assert_eq!(phone.cancel(key, "false alarm").unwrap().state, EntryState::Pending);
    assert_eq!(payloads(&phone.upload())[0]["cancellationReason"], "false alarm");
}

#[test]
fn another_reason_is_refused_and_the_same_one_changes_nothing() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    let cancelled = phone.cancel(key, "false alarm").unwrap();
    assert_eq!(phone.cancel(key, "false alarm ").unwrap(), cancelled);
    assert!(matches!(phone.cancel(key, "other"), Err(OutboxError::AlreadyCancelled)));
    phone.answer(201, &settled(key, "createdAndCancelled", "Cancelled"));
    assert!(matches!(phone.cancel(key, "other"), Err(OutboxError::AlreadyCancelled)));
    assert_eq!(phone.cancel(key, "false alarm").unwrap().state, EntryState::Settled);
}

#[test]
fn a_blank_reason_is_an_error_and_never_a_creation() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    assert!(matches!(phone.cancel(key, "  "), Err(OutboxError::Invalid(_))));
    assert_eq!(phone.entry(key).payload.cancellation_reason, None);
}

#[test]
fn a_cancellation_survives_a_restart() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.upload();
    phone.cancel(key, "false alarm").unwrap();
    phone.restart();
    assert_eq!(phone.state(key), EntryState::Pending);
    assert_eq!(payloads(&phone.upload())[0]["cancellationReason"], "false alarm");
}

#[test]
fn a_quarantined_report_keeps_its_reason_for_the_retry() {
    let mut phone = Phone::new();
    let key = phone.report("w").key;
    phone.answer(422, &problem(422, "validation-failed", "quarantine"));
    assert_eq!(phone.cancel(key, "false alarm").unwrap().state, EntryState::Quarantined);
    let now_ms = phone.now_ms;
    phone.outbox().retry(key, now_ms).unwrap();
    assert_eq!(payloads(&phone.upload())[0]["cancellationReason"], "false alarm");
}
