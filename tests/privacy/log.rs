//! The server's log at its most talkative, with simulated times, in a file of each day's own.

use std::{
    fs::File,
    io::{self, Write},
    path::Path,
    sync::{Mutex, Once, PoisonError, atomic::Ordering},
};

use tracing_subscriber::{
    filter::Targets,
    fmt::{self, format::Writer, time::FormatTime},
    prelude::*,
};

use crate::{Failure, service::NOW_MS, world::moment};

/// All of it but the phones' side of the connections, which is in the same process here.
const LEVELS: &str = "trace,reqwest=off,hyper_util::client=off";

static FILE: Mutex<Option<File>> = Mutex::new(None);
static STARTED: Once = Once::new();

/// From now on everything is logged into this file.
pub(crate) fn into_file(path: &Path) -> Result<(), Failure> {
    *FILE.lock().unwrap_or_else(PoisonError::into_inner) = Some(File::create(path)?);
    let levels: Targets = LEVELS.parse()?;
    STARTED.call_once(|| {
        let lines = fmt::layer().json().flatten_event(true).with_span_list(false);
        let lines = lines.with_timer(Simulated).with_writer(|| Current);
        tracing_subscriber::registry().with(lines).with(levels).init();
    });
    Ok(())
}

struct Simulated;

impl FormatTime for Simulated {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", moment(NOW_MS.load(Ordering::Relaxed)))
    }
}

struct Current;

impl Write for Current {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &mut *FILE.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(file) => file.write(line),
            None => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
