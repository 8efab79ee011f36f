//! The clock of an outbox: the device's, or in an app's test one that the test turns.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::outbox::Moment;

/// The device's clock, or one that stands until it is turned.
#[derive(Debug)]
pub(crate) struct Clock(Option<AtomicI64>);

impl Clock {
    /// One that stands at `now`, or the device's.
    pub(crate) fn new(now: Option<Moment>) -> Self {
        Self(now.map(|now| AtomicI64::new(now.0)))
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(now_ms) => now_ms.load(Ordering::SeqCst),
            None => device_ms(),
        }
    }

    /// Lets one that stands show this moment.
    pub(crate) fn turn_to(&self, now: Moment) {
        if let Some(now_ms) = &self.0 {
            now_ms.store(now.0, Ordering::SeqCst);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
fn device_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
