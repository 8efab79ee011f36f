//! How busy the connections with a database are, and how long is waited for one.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// The connections that a store keeps for one purpose.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// The purpose: `read`, `write` or `standby`.
    pub name: &'static str,
    /// So many are at work now.
    pub busy: usize,
    /// So many there are at most.
    pub limit: usize,
    /// How often one was asked for.
    pub uses: u64,
    /// How long was waited for one, all together.
    pub waited: Duration,
}

/// Adds up the waits for the connections of a pool.
#[derive(Debug, Default)]
pub(super) struct Waits {
    uses: AtomicU64,
    nanoseconds: AtomicU64,
}

/// A wait; it ends when this is dropped, also by somebody who waits no longer.
pub(super) struct Wait<'w> {
    waits: &'w Waits,
    since: Instant,
}

impl Waits {
    /// Begins a wait.
    pub(super) fn begin(&self) -> Wait<'_> {
        Wait { waits: self, since: Instant::now() }
    }

    /// The pool with what was waited for it.
    pub(super) fn pool(&self, name: &'static str, busy: usize, limit: usize) -> Pool {
        let waited = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed));
        Pool { name, busy, limit, uses: self.uses.load(Ordering::Relaxed), waited }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let nanoseconds = u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.waits.uses.fetch_add(1, Ordering::Relaxed);
        self.waits.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_of_less_than_a_microsecond_add_up() {
        let waits = Waits::default();

        for _ in 0..10_000 {
            drop(waits.begin());
        }

        let pool = waits.pool("read", 0, 1);
        assert_eq!(pool.uses, 10_000);
        assert!(pool.waited > Duration::ZERO, "{pool:?}");
    }
}
