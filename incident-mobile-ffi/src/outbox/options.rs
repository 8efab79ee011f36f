//! What an app may set, and what is fixed in an app and turned in a test.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    change::Reached,
    error::OutboxError,
    limits::{LONGEST_SETTING_MS, Limits, PATIENCE},
    upload::spacing::Spacing,
};

/// What an app may set; what it leaves out is as it always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, uniffi::Record)]
pub struct OutboxSettings {
    /// How long a settled entry is remembered, 30 days if absent. 0: it goes at once, and can no longer be called off.
    #[uniffi(default = None)]
    pub settled_for_ms: Option<i64>,
    /// How long an anonymous report stays behind a named one at least, 2 minutes if absent.
    #[uniffi(default = None)]
    pub shortest_spacing_ms: Option<i64>,
    /// And at most, 10 minutes if absent. 0: it does not wait, and the order in which they arrive may say whose it is.
    #[uniffi(default = None)]
    pub longest_spacing_ms: Option<i64>,
}

impl TryFrom<OutboxSettings> for Options {
    type Error = OutboxError;

    /// A bound of the spacing that is left out gives way to one that is given.
    fn try_from(settings: OutboxSettings) -> Result<Self, OutboxError> {
        let mut options = Self::default();
        let OutboxSettings { settled_for_ms, shortest_spacing_ms, longest_spacing_ms } = settings;
        for time_ms in [settled_for_ms, shortest_spacing_ms, longest_spacing_ms].into_iter().flatten() {
            check(time_ms)?;
        }
        if longest_spacing_ms.is_some_and(|longest_ms| shortest_spacing_ms > Some(longest_ms)) {
            return Err(OutboxError::InvalidArgument("the shortest spacing is longer than the longest"));
        }
        options.limits.settled_for_ms = settled_for_ms.unwrap_or(options.limits.settled_for_ms);
        let longest_ms =
            longest_spacing_ms.unwrap_or(options.spacing.longest_ms).max(shortest_spacing_ms.unwrap_or(0));
        let shortest_ms = shortest_spacing_ms.unwrap_or(options.spacing.shortest_ms).min(longest_ms);
        options.spacing = Spacing { shortest_ms, longest_ms };
        Ok(options)
    }
}

fn check(time_ms: i64) -> Result<(), OutboxError> {
    if time_ms < 0 {
        return Err(OutboxError::InvalidArgument("a time of the settings is negative"));
    }
    if time_ms > LONGEST_SETTING_MS {
        return Err(OutboxError::InvalidArgument("a time of the settings is longer than a hundred years"));
    }
    Ok(())
}

/// Called at every moment that a test may want to stop at.
pub type Probe = Box<dyn Fn(Reached) + Send + Sync>;

/// What is fixed in an app and turned in a test.
pub struct Options {
    /// How much the file may hold.
    pub limits: Limits,
    /// A ceiling in pages of 4096 bytes, as a full disk would set it.
    pub max_pages: Option<i64>,
    /// How long to wait for another process that is writing.
    pub patience: Duration,
    /// How far an anonymous report stays behind a named one.
    pub spacing: Spacing,
    /// Where chance begins; from the system if absent.
    pub seed: Option<u64>,
    /// Watches the commits.
    pub probe: Option<Probe>,
}

impl Default for Options {
    fn default() -> Self {
        let (limits, spacing) = (Limits::default(), Spacing::default());
        Self { limits, spacing, max_pages: None, patience: PATIENCE, seed: None, probe: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Options {
    /// The part of them that is the file's.
    pub(crate) fn of_file(&mut self) -> Arc<FileOptions> {
        let probe = self.probe.take();
        Arc::new(FileOptions { max_pages: self.max_pages, patience: self.patience, probe })
    }
}

/// How the file is opened and watched.
pub(crate) struct FileOptions {
    pub(crate) max_pages: Option<i64>,
    pub(crate) patience: Duration,
    probe: Option<Probe>,
}

impl FileOptions {
    pub(crate) fn reached(&self, moment: Reached) {
        if let Some(probe) = &self.probe {
            probe(moment);
        }
    }
}
