//! One line for each event of an outbox, for the app's log: without texts, names or tokens.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use incident_core::Timestamp;

use super::OutboxError;
use crate::outbox::{MAX_LOG_LINES, NextUpload, Progress, Recovery, UploadResult};

/// How often one call tells what came up while it told: a listener that makes an event of each event ends here.
const MAX_ROUNDS: usize = 8;

/// Where the lines go.
#[uniffi::export(with_foreign)]
pub trait OutboxLog: Send + Sync {
    /// Takes one line, on the thread whose call made it. May call the outbox; what it throws is passed over.
    ///
    /// # Errors
    /// Whatever; nothing comes of it.
    fn line(&self, line: String) -> Result<(), OutboxError>;
}

impl From<uniffi::UnexpectedUniFFICallbackError> for OutboxError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { detail: "the log's listener failed".into() }
    }
}

/// The lines that have still to be told, and to whom.
pub(crate) struct Log {
    listener: Arc<dyn OutboxLog>,
    lines: Mutex<VecDeque<String>>,
    is_telling: AtomicBool,
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

impl Log {
    pub(crate) fn new(listener: Arc<dyn OutboxLog>) -> Self {
        Self { listener, lines: Mutex::default(), is_telling: AtomicBool::new(false) }
    }

    /// Keeps a line until [`Log::tell`].
    pub(crate) fn note(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == MAX_LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Tells what was noted. To be called without any lock: the listener may call the outbox. While one thread tells,
    /// others and the listener's own calls only note.
    pub(crate) fn tell(&self) {
        for _ in 0..MAX_ROUNDS {
            let is_nothing_to_tell = self.lines.lock().unwrap_or_else(PoisonError::into_inner).is_empty();
            if is_nothing_to_tell || self.is_telling.swap(true, Ordering::Acquire) {
                return;
            }
            let lines = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
            for line in lines {
                // A listener that fails is no reason to refuse a report.
                let _ = self.listener.line(line);
            }
            self.is_telling.store(false, Ordering::Release);
        }
    }
}

/// What is to be said of what comes next, `sending` entries at once.
pub(crate) fn next(next: &NextUpload, sending: i64) -> Option<String> {
    match next {
        NextUpload::Send { .. } => Some(format!("sending {sending}")),
        NextUpload::Wait { until, detail, .. } => {
            let until = Timestamp::from_unix_ms(until.0).map(|until| until.to_string()).unwrap_or_default();
            Some(format!("waiting until {until}: {detail}"))
        }
        NextUpload::SignIn { detail, .. } => Some(format!("waiting for a token: {detail}")),
        NextUpload::Idle => None,
    }
}

/// What is to be said of what came of an upload.
pub(crate) fn completed(result: &UploadResult, progress: &Progress) -> String {
    let Progress { settled, quarantined, pending } = progress;
    let what = match result {
        UploadResult::Response { status, .. } => format!("sent, answered {status}"),
        UploadResult::NetworkFailure { kind, .. } => format!("no answer ({})", kind.words()),
        UploadResult::Cancelled => "cancelled".to_owned(),
    };
    format!("{what}: {settled} settled, {quarantined} quarantined, {pending} pending")
}

/// What is to be said of a repair.
pub(crate) fn repaired(recovery: &Recovery) -> String {
    format!("repaired: {} saved, {} lost", recovery.saved, recovery.lost)
}
