//! How large uploads are.

use super::super::limits::MAX_UPLOAD_ENTRIES;

/// How many entries an upload may have: halved by refusals, doubled by successes, capped by what was too large.
#[derive(Debug)]
pub(crate) struct BatchSize {
    pub(crate) now: usize,
    cap: usize,
}

impl BatchSize {
    pub(crate) const fn full() -> Self {
        Self { now: MAX_UPLOAD_ENTRIES, cap: MAX_UPLOAD_ENTRIES }
    }

    /// Half of `sent` at most; `for_good` where the server said that it was too large.
    pub(crate) fn halve(&mut self, sent: usize, for_good: bool) {
        self.now = (sent / 2).max(1);
        if for_good {
            self.cap = self.now;
        }
    }

    pub(crate) fn grow(&mut self) {
        self.now = (self.now * 2).min(self.cap);
    }
}
