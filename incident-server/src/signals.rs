//! What the operating system tells the program: stop, stop at once, read files again.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::App;

/// What a shell says of a program that a signal ended: 128 and the signal's number.
const ENDED_BY_SIGNAL: i32 = 128;

/// The signals that ask for an end, SIGTERM and SIGINT.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on these signals do not end the program by themselves.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits until somebody asks for an end; returns the signal's number.
    pub(crate) async fn stop(&mut self) -> i32 {
        let asked = tokio::select! {
            _ = self.terminate.recv() => SignalKind::terminate(),
            _ = self.interrupt.recv() => SignalKind::interrupt(),
        };
        asked.as_raw_value()
    }

    /// Ends the program when somebody asks once more, whatever is not answered yet. What was acknowledged is on disk.
    pub(crate) async fn end_at_the_next(mut self) {
        let number = self.stop().await;
        tracing::warn!("a second signal: ended at once, requests under way are cut off");
        #[expect(clippy::disallowed_methods, reason = "asked twice: what is not dropped is on disk")]
        std::process::exit(ENDED_BY_SIGNAL + number);
    }
}

/// From now on SIGHUP does not end the program.
pub(crate) fn ignore_hangups() -> io::Result<()> {
    // Once listened to, a signal never ends the program again.
    signal(SignalKind::hangup()).map(drop)
}

/// Whenever SIGHUP asks, reads the keys and secrets of tokens again.
pub(crate) async fn reload_at_hangups(app: App) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else {
        return tracing::error!("SIGHUP cannot be listened to; other keys and secrets need a restart");
    };
    while hangups.recv().await.is_some() {
        if app.verifier().reload().await {
            tracing::info!(
                "SIGHUP: the keys and secrets of tokens were read again; all else needs a restart"
            );
        }
    }
}

/// A file at its limit (`ulimit -f`) is to be an error, as on a full disk, and not the end of the program.
pub(crate) fn ignore_file_limits() -> io::Result<()> {
    signal(SignalKind::from_raw(libc::SIGXFSZ)).map(drop)
}
