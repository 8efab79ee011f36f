//! What happened so far, counted by all phones together.

use std::{
    fmt,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
};

use incident_mobile_ffi::outbox::{BATCH_PATH, Progress, Upload};
use serde_json::Value;

use crate::network::Way;

/// The numbers of a demo.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    reported: AtomicU64,
    anonymous: AtomicU64,
    cancelled: AtomicU64,
    /// Payloads that reached the server, repeats included.
    copies: AtomicU64,
    requests: AtomicU64,
    lost: AtomicU64,
    failed: AtomicU64,
    pending: AtomicI64,
    offline: AtomicI64,
}

impl Tally {
    /// Of which the phones keep nothing once they have arrived.
    pub(crate) fn reported_anonymously(&self) {
        self.anonymous.fetch_add(1, Relaxed);
    }

    pub(crate) fn anonymous(&self) -> usize {
        usize::try_from(self.anonymous.load(Relaxed)).unwrap_or(usize::MAX)
    }

    pub(crate) fn reported(&self) {
        self.reported.fetch_add(1, Relaxed);
        self.pending.fetch_add(1, Relaxed);
    }

    /// A report was called off; one that had been delivered waits again.
    pub(crate) fn cancelled(&self, was_delivered: bool) {
        self.cancelled.fetch_add(1, Relaxed);
        self.pending.fetch_add(i64::from(was_delivered), Relaxed);
    }

    pub(crate) fn sent(&self, upload: &Upload, way: Way, progress: Progress) {
        match way {
            Way::NotThere => self.failed.fetch_add(1, Relaxed),
            Way::AnswerLost => self.lost.fetch_add(1, Relaxed),
            Way::ThereAndBack => 0,
        };
        if way != Way::NotThere {
            self.requests.fetch_add(1, Relaxed);
            self.copies.fetch_add(payloads(upload), Relaxed);
        }
        self.pending.fetch_sub(progress.settled, Relaxed);
    }

    pub(crate) fn went_offline(&self, by: i64) {
        self.offline.fetch_add(by, Relaxed);
    }

    /// What was sent and how often, in sentences.
    pub(crate) fn summary(&self) -> String {
        let of = |count: &AtomicU64| count.load(Relaxed);
        format!(
            "{} reports were made and {} of them called off.\n\
             The phones sent {} payloads in {} requests; {} answers were lost on the way back, and {} times \
             there was no network at all.",
            of(&self.reported),
            of(&self.cancelled),
            of(&self.copies),
            of(&self.requests),
            of(&self.lost),
            of(&self.failed),
        )
    }
}

/// The progress line.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "reported {:>4}  called off {:>3}  waiting on phones {:>3}  phones offline {:>2}  payloads sent {:>4}  \
             answers lost {:>3}",
            self.reported.load(Relaxed),
            self.cancelled.load(Relaxed),
            self.pending.load(Relaxed),
            self.offline.load(Relaxed),
            self.copies.load(Relaxed),
            self.lost.load(Relaxed),
        )
    }
}

fn payloads(upload: &Upload) -> u64 {
    let many = || serde_json::from_slice::<Value>(&upload.body).ok()?["incidents"].as_array().map(Vec::len);
    if upload.path == BATCH_PATH { many().unwrap_or(0) as u64 } else { 1 }
}
