//! Whether somebody asks for an end while a file is written that is not whole yet, and has to go first.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why a file was not written to its end.
#[derive(Debug, thiserror::Error)]
#[error("a signal asked for an end, so nothing is kept of what was written")]
pub(crate) struct Interrupted;

/// Notes SIGTERM and SIGINT.
#[derive(Debug, Clone)]
pub(crate) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From now on the first of these signals does not end the program by itself; the second one does.
    pub(crate) fn note() -> io::Result<Self> {
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked = Self(Arc::default());
        for (signals, kind) in [(terminate, SignalKind::terminate()), (interrupt, SignalKind::interrupt())] {
            tokio::spawn(asked.clone().hear(signals, kind));
        }
        Ok(asked)
    }

    /// Whether one has come.
    pub(crate) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    async fn hear(self, mut signals: Signal, kind: SignalKind) {
        while signals.recv().await.is_some() {
            if self.0.swap(true, Ordering::Relaxed) {
                #[expect(clippy::disallowed_methods, reason = "asked twice: it hangs, and cannot tidy up")]
                std::process::exit(128 + kind.as_raw_value());
            }
        }
    }
}
