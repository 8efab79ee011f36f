//! Watching a queue across the boundary: who watches asks again and again, so that nothing here waits or calls back.

use std::sync::{Arc, Mutex, PoisonError};

use super::{OutboxError, outbox::Outbox};
use crate::outbox::{Seen, Summary, WATCH_EVERY_MS};

/// Sees every change of a queue, by any process that has its file open.
#[derive(Debug, uniffi::Object)]
pub struct Watcher {
    outbox: Arc<Outbox>,
    seen: Mutex<Seen>,
}

/// What a look at the queue showed.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WatchStep {
    /// The queue in numbers, if anything of it may have changed since the last look.
    pub summary: Option<Summary>,
    /// After how long to look again.
    pub again_ms: i64,
}

#[uniffi::export]
impl Outbox {
    /// Begins to watch; the first look shows the present state. Each watcher sees every change for itself.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn watch(self: Arc<Self>) -> Result<Arc<Watcher>, OutboxError> {
        Ok(Arc::new(Watcher { outbox: self, seen: Mutex::default() }))
    }
}

#[uniffi::export]
impl Watcher {
    /// Looks whether anything has changed. Any number of changes since the last look are one.
    ///
    /// # Errors
    /// [`OutboxError::Closed`] once the outbox is closed, which is how watching ends; others are those of the file.
    pub fn look(&self) -> Result<WatchStep, OutboxError> {
        // Not locked meanwhile: a log's listener may look, too.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let summary = self.outbox.with(|outbox| Ok(outbox.changed(&mut seen)?))?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = seen;
        Ok(WatchStep { summary, again_ms: WATCH_EVERY_MS })
    }
}
