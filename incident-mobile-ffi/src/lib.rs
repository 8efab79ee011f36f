//! The phone's half of incident-sync: an outbox that cannot lose a report, for Kotlin, Swift and Python.
//!
//! The map of the project and recipes for changing it: `docs/developers.md`.
//!
//! A report that [`Outbox::report`](api::Outbox::report) accepted reaches the server exactly once, or its
//! reporter is told why not. Rust owns the queue, the order, the waiting and the meaning of answers; the
//! platform owns the network, the schedule and the battery. So there is **no network, no thread and no async
//! runtime** in here, and no function that waits for any of them.
//!
//! # What an app calls
//!
//! ```text
//! Outbox.open(path, reporter, settings, log, now)  one file; entries belong to the reporter that made them
//! report(draft) -> Entry                       durable when it returns
//! cancel(key, reason) -> Entry                 the same entry, now with its reason
//! entries(filter, limit, after)  entry(key)  summary()
//! watch() -> Watcher, look() -> Summary if anything changed, by whatever process
//! next_upload() -> Send { upload } | Wait { until, why, detail } | SignIn { why, detail } | Idle
//! complete_upload(upload_id, result) -> Progress { settled, quarantined, pending }
//! retry(key)  discard(key)  retry_all(filter)  discard_all(filter)
//! token_changed()  network_changed()  close()
//! turn_to(now)                                 in an app's tests, of an outbox that was opened at a moment
//! derive_key(reporter, created_at)  canonical_payload(json)  validate_draft(draft)      no file needed
//! ```
//!
//! Times are milliseconds since 1970 ([`Moment`](outbox::Moment)). Every call may block for a write to storage, none for the
//! network: call them from a background thread. Every call fails with an [`OutboxError`](api::OutboxError) of
//! few kinds, each with one thing to do about it, and never ends the process.
//!
//! # The loop that each package runs
//!
//! ```text
//! loop: next_upload()
//!   Send    -> POST upload.body to server + upload.path with upload.headers and the token, no redirects,
//!              no silent repeats, at most upload.timeout_ms;
//!              complete_upload(upload.id, Response | NetworkFailure | Cancelled)
//!   Wait    -> end; the app schedules the next sync for then
//!   SignIn  -> end; the app gets a token and calls token_changed()
//!   Idle    -> end
//! ```
//!
//! Where to start reading: `outbox/mod.rs`, then `outbox/answer/read.rs`, the table of what an answer means.
//! `api/` is the boundary: it calls, and converts where the shapes differ.

// A panic would end the app: what cannot be is an error here, too.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod api;
pub mod outbox;

uniffi::setup_scaffolding!("incident_mobile_ffi");
