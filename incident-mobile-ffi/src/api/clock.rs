//! The clock of an outbox: the device's, or in an app's test one that the test turns.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use incident_core::Timestamp;

use crate::outbox::Moment;

/// The device's clock, or one that stands until it is turned.
#[derive(Debug)]
pub(crate) struct Clock(Option<AtomicI64>);

impl Clock {
    /// One that stands at `now`, or the device's.
    pub(crate) fn new(now: Option<Moment>) -> Self {
        Self(now.map(|now| AtomicI64::new(shown_ms(now))))
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
            now_ms.store(shown_ms(now), Ordering::SeqCst);
        }
    }
}

/// No clock shows what is before 1970 or after 9999; there is room to reckon with what is shown.
fn shown_ms(now: Moment) -> i64 {
    now.0.clamp(0, Timestamp::MAX.unix_ms())
}

#[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
fn device_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_shows_can_be_reckoned_with() {
        let clock = Clock::new(Some(Moment(i64::MAX)));
        let latest_ms = clock.now_ms();
        clock.turn_to(Moment(i64::MIN));

        assert_eq!((latest_ms, clock.now_ms()), (Timestamp::MAX.unix_ms(), 0));
    }
}
