//! How large uploads are.

use super::super::limits::MAX_UPLOAD_ENTRIES;

/// How many entries an upload may have: halved by refusals, and by successes doubled up to what was too much for the line
/// or the server, from there on one more each, for another hour may carry more (as TCP does, RFC 5681, section 3.1).
#[derive(Debug)]
pub(crate) struct BatchSize {
    pub(crate) now: usize,
    threshold: usize,
}

impl BatchSize {
    pub(crate) const fn full() -> Self {
        Self { now: MAX_UPLOAD_ENTRIES, threshold: MAX_UPLOAD_ENTRIES }
    }

    /// Half of `sent` at most: as many were too much.
    pub(crate) fn was_too_much(&mut self, sent: usize) {
        self.take_apart(sent);
        if sent > 1 {
            self.threshold = self.now;
        }
    }

    /// Half of `sent` at most. An upload of one has nothing to be divided, and says nothing of batches.
    pub(crate) fn take_apart(&mut self, sent: usize) {
        if sent > 1 {
            self.now = sent / 2;
        }
    }

    /// Another line may carry more.
    pub(crate) fn forget(&mut self) {
        self.threshold = MAX_UPLOAD_ENTRIES;
    }

    pub(crate) fn grow(&mut self) {
        let more = if self.now < self.threshold { (self.now * 2).min(self.threshold) } else { self.now + 1 };
        self.now = more.min(MAX_UPLOAD_ENTRIES);
    }
}
