//! What somebody who watches costs whoever reports, and how soon a change by another is shown.

use std::{
    path::Path,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use incident_mobile_ffi::outbox::{Draft, Outbox, Seen, WATCH_EVERY_MS};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Failure,
    phone::{NOW_MS, open},
    results::median,
};

/// Into each of the two files, in turns, so that a machine whose speed drifts slows both alike.
const REPORTS: usize = 2_000;
/// How often it is measured when a change is shown.
const CHANGES: usize = 20;

/// All figures of it.
pub(crate) fn measure() -> Result<Value, Failure> {
    let folder = TempDir::new()?;
    let mut alone = open(&folder.path().join("alone.sqlite"))?;
    let file = folder.path().join("watched.sqlite");
    let mut watched = open(&file)?;
    let beside = Watcher::new(&file);
    let (mut alone_ms, mut watched_ms, mut shown_ms) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..REPORTS {
        alone_ms.push(report(&mut alone, n)?);
        watched_ms.push(report(&mut watched, n)?);
    }
    for n in REPORTS..REPORTS + CHANGES {
        report(&mut watched, n)?;
        let reported = Instant::now();
        beside.shows(n + 1)?;
        shown_ms.push(reported.elapsed().as_secs_f64() * 1000.0);
    }
    beside.end()?;
    let slowest_ms = shown_ms.iter().copied().fold(0.0, f64::max);
    let ratio = median(watched_ms) / median(alone_ms);
    println!(
        "phone: a report takes {ratio:.2} × as long under a watcher, which sees it after {slowest_ms:.0} ms at most"
    );
    Ok(json!({
        "reports": REPORTS,
        "reportWatchedToAlone": ratio,
        "changes": CHANGES,
        "shownMedianMs": median(shown_ms),
        "shownSlowestMs": slowest_ms,
    }))
}

/// Makes the nth report and returns how many milliseconds it took.
fn report(outbox: &mut Outbox, n: usize) -> Result<f64, Failure> {
    let draft = Draft::new("ward-7", 12.4924, 41.8902);
    let started = Instant::now();
    outbox.report(&draft, NOW_MS + i64::try_from(n)?)?;
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

/// Another outbox on the file, as another process has, which is looked at as often as the packages' `watch` does.
struct Watcher {
    pending: Receiver<i64>,
    end: Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

impl Watcher {
    fn new(file: &Path) -> Self {
        let ((shown, pending), (end, ended)) = (mpsc::channel(), mpsc::channel());
        let file = file.to_owned();
        Self {
            pending,
            end,
            thread: thread::spawn(move || watch(&file, &shown, &ended).map_err(|e| e.to_string())),
        }
    }

    /// Waits until so many entries were seen.
    fn shows(&self, count: usize) -> Result<(), Failure> {
        let count = i64::try_from(count)?;
        while self.pending.recv()? < count {}
        Ok(())
    }

    fn end(self) -> Result<(), Failure> {
        drop(self.end);
        Ok(self.thread.join().map_err(|_| "the watcher panicked")??)
    }
}

fn watch(file: &Path, shown: &Sender<i64>, ended: &Receiver<()>) -> Result<(), Failure> {
    let (mut outbox, mut seen) = (open(file)?, Seen::default());
    let every = Duration::from_millis(WATCH_EVERY_MS.try_into()?);
    loop {
        if let Some(summary) = outbox.changed(&mut seen)? {
            // Who measures has seen enough and is about to end it.
            let _ = shown.send(summary.pending);
        }
        match ended.recv_timeout(every) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return Ok(()),
        }
    }
}
