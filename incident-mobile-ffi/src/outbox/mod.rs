//! The queue: plain Rust over one file. The clock is an argument, chance comes from a seed, and the network is
//! somebody else's.
//!
//! The way of one report: [`Outbox::report`] makes it durable, [`Outbox::next_upload`] puts it into a request,
//! the platform sends that, [`Outbox::complete_upload`] reads the answer (`answer.rs` has the table) and settles
//! it, quarantines it, or leaves it pending. Every change is one transaction (`file/mod.rs`), so that a process
//! may be killed between any two instructions.

mod answer;
mod change;
mod complete;
mod desk;
mod entry;
mod error;
mod file;
mod judgement;
mod lease;
mod list;
mod moment;
mod pace;
mod protocol;
mod prune;
mod report;
mod upload;

use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use incident_core::Reporter;

pub use answer::MAX_ANSWER_BYTES;
pub use change::{Change, Reached, RepairStep};
pub use desk::MAX_STRIKES;
pub use entry::{Entry, EntryState, Incident, IncidentStatus, Outcome, Problem, Violation};
pub use error::OutboxError;
use file::File;
pub use file::repair::Recovery;
use lease::Sender;
pub use list::Summary;
pub use moment::Moment;
use pace::Pace;
pub use protocol::{
    Header, NetworkFailureKind, NextUpload, Progress, SignInReason, Upload, UploadResult, WaitReason,
};
pub use report::NewReport;
use report::Taken;
pub use upload::{BATCH_PATH, MAX_UPLOAD_BYTES, MAX_UPLOAD_ENTRIES, SYNC_PATH};
use upload::{BatchSize, InFlight};

/// How much the file may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries that are not settled.
    pub entries: i64,
    /// Bytes of the file in use.
    pub bytes: i64,
    /// Settled entries that are remembered.
    pub settled: i64,
    /// How long a settled entry is remembered.
    pub settled_for_ms: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 10_000, bytes: 50_000_000, settled: 1_000, settled_for_ms: 30 * 24 * 60 * 60 * 1000 }
    }
}

/// Called at every moment that a test may want to stop at.
pub type Probe = Box<dyn Fn(Reached) + Send>;

/// What is fixed in an app and turned in a test.
pub struct Options {
    /// How much the file may hold.
    pub limits: Limits,
    /// A ceiling in pages of 4096 bytes, as a full disk would set it.
    pub max_pages: Option<i64>,
    /// How long to wait for another process that is writing.
    pub patience: Duration,
    /// Where chance begins; from the system if absent.
    pub seed: Option<u64>,
    /// Watches the commits.
    pub probe: Option<Probe>,
}

impl Default for Options {
    fn default() -> Self {
        let patience = Duration::from_secs(5);
        Self { limits: Limits::default(), max_pages: None, patience, seed: None, probe: None }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Options {
    fn reached(&self, moment: Reached) {
        if let Some(probe) = &self.probe {
            probe(moment);
        }
    }
}

/// The queue of one reporter in one file.
pub struct Outbox {
    file: File,
    path: PathBuf,
    options: Options,
    reporter: Reporter,
    rng: fastrand::Rng,
    sender: Sender,
    in_flight: Option<InFlight>,
    uploads: i64,
    batch_size: BatchSize,
    /// Whether the last answer settled something.
    went_well: bool,
    /// Whether the write-ahead log still holds what was erased.
    erased: bool,
    sign_in: Option<SignInReason>,
    taken: Taken,
    recovery: Option<Recovery>,
    opened_ms: i64,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Opens the file at `path`, or makes it. What a killed process was sending is pending again; what has long
    /// been settled is erased; a corrupt file is moved aside and saved from, see [`Outbox::recovery`].
    ///
    /// # Errors
    /// [`OutboxError::Unavailable`], [`OutboxError::NoSpace`] or [`OutboxError::NewerSchema`]; then the file was
    /// not touched.
    pub fn open(path: &Path, reporter: Reporter, options: Options, now_ms: i64) -> Result<Self, OutboxError> {
        let rng = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let (file, recovery) = file::repair::open(path, &options, now_ms)?;
        let mut outbox = Self {
            file,
            path: path.to_owned(),
            reporter,
            sender: Sender::new(),
            rng,
            in_flight: None,
            uploads: 0,
            batch_size: BatchSize::full(),
            went_well: false,
            erased: false,
            sign_in: None,
            taken: Taken::default(),
            recovery,
            opened_ms: now_ms,
            options,
        };
        outbox.prune(now_ms)?;
        // Upload numbers of two openings never meet: a late answer to an earlier one must not be taken for ours.
        outbox.uploads = outbox.rng.i64(0..i64::from(i32::MAX)) << 20;
        Ok(outbox)
    }

    /// What was saved, if the file was corrupt when it was opened.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    /// There is a new token: what waited for it may go.
    pub fn token_changed(&mut self) {
        self.sign_in = None;
    }

    /// The device has another network, or one again: a back-off of ours lapses. What the server asked for stays.
    ///
    /// # Errors
    /// Those of the file.
    pub fn network_changed(&mut self) -> Result<(), OutboxError> {
        let reporter = self.reporter.as_str();
        let result = self.file.write(&self.options, Change::Wait, |transaction| {
            let mut pace = Pace::load(transaction, reporter)?;
            pace.begin_anew();
            pace.save(transaction, reporter)
        });
        self.heal(result)
    }

    fn prune(&mut self, now_ms: i64) -> Result<(), OutboxError> {
        let (reporter, limits) = (self.reporter.as_str(), self.options.limits);
        if !prune::is_due(self.file.read(), reporter, limits, now_ms)? {
            return Ok(());
        }
        self.file.write(&self.options, Change::Prune, |transaction| {
            prune::settled(transaction, reporter, limits, now_ms)
        })?;
        self.file.forget()
    }

    /// A page that turned out corrupt: repairs the file, so that the app need only ask again.
    fn heal<T>(&mut self, result: Result<T, OutboxError>) -> Result<T, OutboxError> {
        let is_unfinished = result.is_err() && self.file.is_let_go();
        if is_unfinished || matches!(result, Err(OutboxError::Corrupt)) {
            (self.in_flight, self.taken) = (None, Taken::default());
            // The corrupt file is let go before another takes its name. Where the repair fails, the next call tries it
            // again.
            self.file.let_go()?;
            let (file, recovery) = file::repair::reopen(&self.path, &self.options, self.opened_ms)?;
            self.file = file;
            self.recovery = recovery.or(self.recovery.take());
            return Err(OutboxError::Corrupt);
        }
        result
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if self.sender.has_lease() {
            let sender = &mut self.sender;
            // Whoever comes next finds the lease of a process that is gone; there is nobody left to tell.
            let _ =
                self.file.write(&self.options, Change::Lease, |transaction| sender.give_back(transaction));
        }
    }
}
