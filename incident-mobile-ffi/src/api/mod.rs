//! The boundary to the other languages: a queue, who watches it, who hears of it, and three functions. Shapes that are
//! the same on both sides are the queue's own; only a draft, an entry and an error are converted.

#![expect(clippy::needless_pass_by_value, reason = "what crosses the boundary is owned")]

mod clock;
mod error;
mod log;
mod outbox;
mod payload;
mod records;
mod watch;

pub use error::OutboxError;
pub use log::OutboxLog;
pub use outbox::Outbox;
pub use payload::{canonical_payload, derive_key, validate_draft};
pub use records::{CanonicalPayload, Draft, Entry};
pub use watch::{WatchStep, Watcher};
