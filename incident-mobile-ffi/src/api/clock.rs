//! The clock of an outbox: the system's, or in an app's test the one that the test turns.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// Where a moment comes from.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The device's.
    System,
    /// A test's, in milliseconds since 1970.
    Turned(Arc<AtomicI64>),
}

impl Clock {
    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        match self {
            Self::System => system_ms(),
            Self::Turned(now_ms) => now_ms.load(Ordering::SeqCst),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
pub(crate) fn system_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
