//! Whether somebody asks for an end while a file is written that is not whole yet, and has to go first.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use procfs::process::Process;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why a file was not written to its end.
#[derive(Debug, thiserror::Error)]
#[error("a signal asked for an end, so nothing is kept of what was written")]
pub(crate) struct Interrupted;

/// Notes SIGTERM, SIGINT and SIGHUP, which a terminal sends that is gone.
#[derive(Debug, Clone)]
pub(crate) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    /// From now on the first of these signals does not end the program by itself; the second one does. A hangup never does,
    /// and none counts that is ignored.
    pub(crate) fn note() -> io::Result<Self> {
        let asked = Self(Arc::default());
        for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
            if !is_ignored(kind) {
                tokio::spawn(asked.clone().hear(signal(kind)?, kind));
            }
        }
        Ok(asked)
    }

    /// What was done, unless an end was asked for meanwhile: that is why it failed then, or is not to be gone on with.
    pub(crate) fn unless_it_came<T, E: From<Interrupted>>(&self, done: Result<T, E>) -> Result<T, E> {
        if self.has_come() { Err(Interrupted.into()) } else { done }
    }

    /// Whether one has come.
    pub(crate) fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    async fn hear(self, mut signals: Signal, kind: SignalKind) {
        while signals.recv().await.is_some() {
            let is_repeated = self.0.swap(true, Ordering::Relaxed);
            // A hangup is told by the terminal and by the shell: two of them are one.
            if is_repeated && kind != SignalKind::hangup() {
                #[expect(clippy::disallowed_methods, reason = "asked twice: it hangs, and cannot tidy up")]
                std::process::exit(128 + kind.as_raw_value());
            }
        }
    }
}

/// Whoever started the program wants it to go on, as with `nohup`.
fn is_ignored(kind: SignalKind) -> bool {
    let status = Process::myself().and_then(|this| this.status());
    status.is_ok_and(|status| status.sigign >> (kind.as_raw_value() - 1) & 1 == 1)
}
