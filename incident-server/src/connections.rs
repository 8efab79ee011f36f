//! How many connections are open over all listeners of this process, and how many one listener may have.

use std::sync::atomic::{AtomicUsize, Ordering};

static OPEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// How many connections are open, and how many there may be before only health checks are answered.
pub(crate) fn connections() -> (usize, usize) {
    (OPEN.load(Ordering::Relaxed), MOST.load(Ordering::Relaxed))
}

/// From now on there may be this many.
pub(crate) fn allow(most: usize) {
    MOST.store(most, Ordering::Relaxed);
}

/// A connection that is open; it is counted until this is dropped.
pub(crate) struct OpenConnection(());

impl OpenConnection {
    pub(crate) fn begin() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}
