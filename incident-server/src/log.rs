//! The log on standard error: one JSON object a line, written by a thread of its own. Nobody waits for it.
//!
//! `tracing-appender` in its lossy mode: a line that finds no room in the queue is dropped and counted, and the
//! thread alone waits for a pipe that nobody reads. Lines in the queue are written at the end, for a second at most.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::{
    filter::{LevelFilter, ParseError, Targets},
    fmt,
    prelude::*,
};

use crate::{audit, limits::LOG_LINES};

static DROPPED: OnceLock<ErrorCounter> = OnceLock::new();
static FAILED: AtomicU64 = AtomicU64::new(0);

/// Begins to log; what is returned is to be kept until the end of the program.
pub fn start(levels: Targets) -> WorkerGuard {
    let queue = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(LOG_LINES);
    let (writer, guard) = queue.thread_name("log").finish(Counted(io::stderr()));
    let _ = DROPPED.set(writer.error_counter());
    let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
    let lines = lines.with_writer(writer).log_internal_errors(false);
    tracing_subscriber::registry().with(lines).with(levels).init();
    log_panics();
    guard
}

/// What is logged: a level, or levels by module, with commas between them. A word alone must be a level: it would be taken
/// for a module else, and nothing of the rest be logged.
pub(crate) fn levels(text: &str) -> Result<Targets, String> {
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    if parts.iter().any(|part| part.contains('[')) {
        return Err("levels are told by module; not by spans or fields".into());
    }
    if let Some(part) = parts.iter().find(|part| !part.contains('=') && part.parse::<LevelFilter>().is_err())
    {
        return Err(format!("{part:?} is none of off, error, warn, info, debug, trace"));
    }
    with_audit(&parts.join(",")).parse().map_err(|error: ParseError| error.to_string())
}

/// Lines of the audit are written whatever the level of the others, unless it is said what becomes of them.
fn with_audit(filter: &str) -> String {
    let audit = format!("{}=", audit::TARGET);
    let is_off = |part: &str| part.parse().is_ok_and(|level: LevelFilter| level == LevelFilter::OFF);
    let says_it = |part: &str| is_off(part) || part.starts_with(&audit);
    if filter.split(',').any(says_it) { filter.to_owned() } else { format!("{filter},{audit}info") }
}

/// Lines that were not written: there was no room in the queue, or on the disk.
pub(crate) fn dropped_lines() -> u64 {
    let unqueued = DROPPED.get().map_or(0, |dropped| dropped.dropped_lines() as u64);
    unqueued + FAILED.load(Ordering::Relaxed)
}

/// Rust's own words for a panic would wait for the pipe, and may hold a value. Where it happened is enough.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "a bug: a task panicked");
    }));
}

/// Counts what cannot be written.
struct Counted<W>(W);

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).inspect_err(|_| {
            FAILED.fetch_add(1, Ordering::Relaxed);
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_are_told_by_module_with_or_without_spaces() {
        for text in ["warn,sqlx=debug", " warn , sqlx=debug "] {
            let levels = levels(text).unwrap();

            assert!(levels.would_enable("sqlx::query", &Level::DEBUG), "{text}");
            assert!(!levels.would_enable("incident_server", &Level::INFO), "{text}");
        }
    }

    #[test]
    fn what_is_no_level_is_refused() {
        for text in ["verbose", "info,sqlx", "info,==", "[sync]=debug", "sqlx[{a,b}]=info"] {
            assert!(levels(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_audit_is_written_unless_somebody_says_otherwise() {
        for (filter, expected) in [
            ("info", "info,incident_server::audit=info"),
            (
                "warn,incident_server::audit::reads=off",
                "warn,incident_server::audit::reads=off,incident_server::audit=info",
            ),
            ("off", "off"),
            ("OFF", "OFF"),
            ("info,incident_server::audit=off", "info,incident_server::audit=off"),
        ] {
            assert_eq!(with_audit(filter), expected);
        }
    }
}
