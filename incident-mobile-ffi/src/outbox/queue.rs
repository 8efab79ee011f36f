//! What all verbs of an outbox share: its file, its state in this process, and the repair around each of them.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use incident_core::Reporter;
use rusqlite::params;

use super::{
    change::Change,
    entry::{Entry, EntryState},
    error::OutboxError,
    file::{
        database::File,
        erase,
        filesystem::real_path,
        repair::{self, Recovery},
    },
    limits::Limits,
    options::{FileOptions, Options},
    report::free_ms::FreeMs,
    upload::{
        batch_size::BatchSize, in_flight::InFlight, lease::Sender, pace::Pace, protocol::SignInReason,
        spacing::Spacing,
    },
};

/// The queue of one reporter in one file.
pub struct Outbox {
    pub(crate) file: File,
    path: PathBuf,
    pub(crate) limits: Limits,
    pub(crate) spacing: Spacing,
    file_options: Arc<FileOptions>,
    pub(crate) reporter: Reporter,
    pub(crate) rng: fastrand::Rng,
    pub(crate) sender: Sender,
    pub(crate) in_flight: Option<InFlight>,
    pub(crate) uploads: i64,
    pub(crate) batch_size: BatchSize,
    /// Whether the last answer settled something.
    pub(crate) went_well: bool,
    /// Whether nothing was found to wait that no index names.
    pub(crate) is_indexed: bool,
    pub(crate) sign_in: Option<SignInReason>,
    pub(crate) free_ms: FreeMs,
    pub(crate) recovery: Option<Recovery>,
    /// The present, as far as the outbox was told: it looks at no clock.
    now_ms: i64,
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
    pub fn open(
        path: &Path,
        reporter: Reporter,
        mut options: Options,
        now_ms: i64,
    ) -> Result<Self, OutboxError> {
        let rng = options.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        let file_options = options.of_file();
        let path = real_path(path)?;
        let (file, recovery) = repair::open(&path, &file_options, now_ms)?;
        let mut outbox = Self {
            file,
            path,
            reporter,
            sender: Sender::new(),
            rng,
            in_flight: None,
            uploads: 0,
            batch_size: BatchSize::full(),
            went_well: false,
            is_indexed: false,
            sign_in: None,
            free_ms: FreeMs::default(),
            recovery,
            now_ms,
            limits: options.limits,
            spacing: options.spacing,
            file_options,
        };
        match outbox.repairing(|outbox| outbox.prune(now_ms)) {
            Err(OutboxError::Corrupt) => outbox.prune(now_ms)?,
            pruned => pruned?,
        }
        // Upload numbers of two openings never meet: a late answer to an earlier one must not be taken for ours.
        outbox.uploads = outbox.rng.i64(0..i64::from(i32::MAX)) << 20;
        Ok(outbox)
    }

    /// What was saved, if the file was corrupt when it was opened.
    pub fn recovery(&self) -> Option<&Recovery> {
        self.recovery.as_ref()
    }

    /// Tells the time to what needs it in no other way: a repair, which may happen at every call.
    pub fn tell_time(&mut self, now_ms: i64) {
        self.now_ms = now_ms;
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
        self.batch_size.forget();
        self.repairing(|outbox| {
            let reporter = outbox.reporter.as_str();
            outbox.file.write(Change::Wait, |transaction| {
                let mut pace = Pace::load(transaction, reporter)?;
                pace.begin_anew();
                pace.save(transaction, reporter)?;
                let sql =
                    "UPDATE entry SET not_before_ms = 0 WHERE reporter = ?1 AND state = 0 AND strikes > 0";
                transaction.execute(sql, [reporter])?;
                Ok(())
            })
        })
    }

    fn prune(&mut self, now_ms: i64) -> Result<(), OutboxError> {
        let (reporter, limits) = (self.reporter.as_str(), self.limits);
        if erase::is_due(self.file.read(), reporter, limits, now_ms)? {
            self.file
                .write(Change::Prune, |transaction| erase::settled(transaction, reporter, limits, now_ms))?;
        }
        self.file.compact()
    }

    /// Does something with the queue; where a page turns out corrupt, repairs the file, so that the app need only ask
    /// again.
    pub(crate) fn repairing<T>(
        &mut self,
        verb: impl FnOnce(&mut Self) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        self.file.refuse_forked()?;
        let result = verb(self);
        let is_unfinished = result.is_err() && self.file.is_let_go();
        if is_unfinished || matches!(result, Err(OutboxError::Corrupt)) {
            (self.in_flight, self.free_ms) = (None, FreeMs::default());
            // The corrupt file is let go before another takes its name. Where the repair fails, the next call tries it
            // again.
            self.file.let_go()?;
            let (file, recovery) =
                repair::reopen(&self.path, &self.file_options, self.file.identity(), self.now_ms)?;
            self.file = file;
            self.recovery = recovery.or(self.recovery.take());
            return Err(OutboxError::Corrupt);
        }
        result
    }

    /// Gives the lease back, and leaves nothing of what was erased.
    pub(crate) fn rest(&mut self) -> Result<(), OutboxError> {
        if self.sender.has_lease() {
            let sender = &mut self.sender;
            self.file.write(Change::Lease, |transaction| sender.give_back(transaction))?;
        }
        self.file.compact()
    }

    pub(crate) fn count(&self, state: i64) -> Result<i64, OutboxError> {
        let sql = "SELECT count(*) FROM entry WHERE reporter = ?1 AND state = ?2";
        let mut statement = self.file.read().prepare_cached(sql)?;
        Ok(statement.query_row(params![self.reporter.as_str(), state], |row| row.get(0))?)
    }

    /// The entry as this process sees it: what it is sending is sending.
    pub(crate) fn seen(&self, mut entry: Entry) -> Entry {
        let under_way =
            self.in_flight.as_ref().is_some_and(|f| f.items.iter().any(|item| item.key == entry.key));
        if under_way && entry.state == EntryState::Pending {
            entry.state = EntryState::Sending;
        }
        entry
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        if self.sender.has_lease() {
            let sender = &mut self.sender;
            // Whoever comes next finds the lease of a process that is gone; there is nobody left to tell.
            let _ = self.file.write(Change::Lease, |transaction| sender.give_back(transaction));
        }
    }
}
