//! Refusals that anybody can cause as often as they like: counted, with a line in the log now and then.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::limits::REFUSAL_LOG_PAUSE_MS;

/// What was refused since the last line about it.
pub(crate) struct Refusals {
    logged_at_ms: AtomicI64,
    unlogged: AtomicU64,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self { logged_at_ms: AtomicI64::new(i64::MIN), unlogged: AtomicU64::new(0) }
    }

    /// Counts one; if it is time for a line, says how many others there were since the last.
    pub(crate) fn count(&self, now_ms: i64) -> Option<u64> {
        let before = self.logged_at_ms.load(Ordering::Relaxed);
        let due = now_ms.saturating_sub(before) >= REFUSAL_LOG_PAUSE_MS
            && self
                .logged_at_ms
                .compare_exchange(before, now_ms, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if due {
            return Some(self.unlogged.swap(0, Ordering::Relaxed));
        }
        self.unlogged.fetch_add(1, Ordering::Relaxed);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_told_and_the_others_with_the_next_line() {
        let refusals = Refusals::new();
        assert_eq!(refusals.count(0), Some(0));
        assert!((1..REFUSAL_LOG_PAUSE_MS).all(|now_ms| refusals.count(now_ms).is_none()));
        assert_eq!(refusals.count(REFUSAL_LOG_PAUSE_MS), Some(9_999));
        assert_eq!(refusals.count(3 * REFUSAL_LOG_PAUSE_MS), Some(0));
    }
}
