//! The queue: plain Rust over one file. The clock is an argument, chance comes from a seed, and the network is
//! somebody else's.
//!
//! The way of one report, and the rooms it passes through: [`Outbox::report`] makes it durable (`report/`),
//! [`Outbox::next_upload`] puts it into a request (`upload/`), the platform sends that,
//! [`Outbox::complete_upload`] reads the answer (`answer/`; `answer/read.rs` has the table) and settles it,
//! quarantines it, or leaves it pending. Every change is one transaction (`file/`), so that a process may be killed
//! between any two instructions. `entries/` is what the user sees of it, and may do about it.
//!
//! `queue.rs` holds what all verbs share; every limit is in `limits.rs`. No module leads back to itself.

mod answer;
mod change;
mod entries;
mod entry;
mod error;
mod file;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod limits;
mod moment;
mod options;
mod queue;
mod report;
mod upload;

pub use incident_core::Draft;

pub use change::{Change, Reached, RepairStep};
pub use entries::{Seen, Summary};
pub use entry::{Entry, EntryState, Incident, IncidentStatus, Outcome, Problem, Violation};
pub use error::OutboxError;
pub use file::Recovery;
pub use limits::{
    Limits, MAX_ANSWER_BYTES, MAX_LOG_LINES, MAX_STRIKES, MAX_UPLOAD_BYTES, MAX_UPLOAD_ENTRIES,
    WATCH_EVERY_MS,
};
pub use moment::Moment;
pub use options::{Options, OutboxSettings, Probe};
pub use queue::Outbox;
pub use upload::{
    BATCH_PATH, Header, NetworkFailureKind, NextUpload, Progress, SYNC_PATH, SignInReason, Spacing, Upload,
    UploadResult, WaitReason,
};
