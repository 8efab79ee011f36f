//! The queue across the boundary.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use incident_core::{IdempotencyKey, Reporter};

use super::{
    OutboxError, OutboxLog,
    clock::Clock,
    log::{self, Log},
    records::{Draft, Entry},
};
use crate::outbox::{self, EntryState, Moment, NextUpload, OutboxSettings, Progress, Summary, UploadResult};

/// The queue of one reporter in one file. May be used from several threads; calls go one after the other.
#[derive(Debug, uniffi::Object)]
pub struct Outbox {
    queue: Mutex<Option<outbox::Outbox>>,
    log: Option<Log>,
    clock: Clock,
}

#[uniffi::export]
impl Outbox {
    /// Opens the file at `path`, or makes it; `log` hears of its events. With `now` it goes by a clock that stands
    /// there, see [`Outbox::turn_to`].
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::constructor(default(settings = None, log = None, now = None))]
    pub fn open(
        path: String,
        reporter: String,
        settings: Option<OutboxSettings>,
        log: Option<Arc<dyn OutboxLog>>,
        now: Option<Moment>,
    ) -> Result<Arc<Self>, OutboxError> {
        let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
        let (options, clock) = (settings.unwrap_or_default().try_into()?, Clock::new(now));
        let opened = outbox::Outbox::open(Path::new(&path), reporter, options, clock.now_ms())?;
        let log = log.map(Log::new);
        if let (Some(log), Some(recovery)) = (&log, opened.recovery()) {
            log.note(log::repaired(recovery));
            log.tell();
        }
        Ok(Arc::new(Self { queue: Mutex::new(Some(opened)), log, clock }))
    }

    /// Turns the clock of an outbox that was opened with one, as an app's test does; the device's stays as it is.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn turn_to(&self, now: Moment) -> Result<(), OutboxError> {
        self.clock.turn_to(now);
        Ok(())
    }

    /// Takes a report; it is durable when this returns.
    ///
    /// # Errors
    /// See [`OutboxError`]; then nothing was taken.
    pub fn report(&self, draft: Draft) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.report(&draft.into(), self.clock.now_ms())?.into()))
    }

    /// Calls a report off.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn cancel(&self, key: String, reason: String) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.cancel(parse_key(&key)?, &reason, self.clock.now_ms())?.into()))
    }

    /// The entries of this reporter, newest first, at most `limit`, from the one behind `after` on.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::method(default(filter = None, limit = 100, after = None))]
    pub fn entries(
        &self,
        filter: Option<EntryState>,
        limit: i64,
        after: Option<String>,
    ) -> Result<Vec<Entry>, OutboxError> {
        let after = after.as_deref().map(parse_key).transpose()?;
        self.with(|outbox| Ok(outbox.entries(filter, limit, after)?.into_iter().map(Into::into).collect()))
    }

    /// One entry.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn entry(&self, key: String) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.entry(parse_key(&key)?)?.into()))
    }

    /// The queue in numbers.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn summary(&self) -> Result<Summary, OutboxError> {
        self.with(|outbox| Ok(outbox.summary()?))
    }

    /// Says what to send next.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn next_upload(&self) -> Result<NextUpload, OutboxError> {
        self.with(|outbox| {
            let next = outbox.next_upload(self.clock.now_ms())?;
            self.note(|| log::next(&next, outbox.sending()));
            Ok(next)
        })
    }

    /// Takes what came of an upload; one that is no longer under way changes nothing.
    ///
    /// # Errors
    /// See [`OutboxError`]; then the entries are pending as before.
    pub fn complete_upload(&self, upload_id: i64, result: UploadResult) -> Result<Progress, OutboxError> {
        self.with(|outbox| {
            let progress = outbox.complete_upload(upload_id, &result, self.clock.now_ms())?;
            self.note(|| Some(log::completed(&result, &progress)));
            Ok(progress)
        })
    }

    /// Sends an entry again: one in quarantine is pending again, and a back-off lapses.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn retry(&self, key: String) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.retry(parse_key(&key)?, self.clock.now_ms())?.into()))
    }

    /// Removes an entry that is settled or in quarantine.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn discard(&self, key: String) -> Result<(), OutboxError> {
        self.with(|outbox| Ok(outbox.discard(parse_key(&key)?)?))
    }

    /// Sends again what is in quarantine and what waits, or with `filter` the entries of one of these states; says
    /// how many.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::method(default(filter = None))]
    pub fn retry_all(&self, filter: Option<EntryState>) -> Result<i64, OutboxError> {
        self.with(|outbox| Ok(outbox.retry_all(filter, self.clock.now_ms())?))
    }

    /// Removes what is settled or in quarantine, or with `filter` the entries of one of these states; says how many.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::method(default(filter = None))]
    pub fn discard_all(&self, filter: Option<EntryState>) -> Result<i64, OutboxError> {
        self.with(|outbox| Ok(outbox.discard_all(filter)?))
    }

    /// There is another network, or one again: a back-off lapses; what the server asked to wait is kept.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn network_changed(&self) -> Result<(), OutboxError> {
        self.with(|outbox| Ok(outbox.network_changed()?))
    }

    /// There is a new token: what waited for it may go.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn token_changed(&self) -> Result<(), OutboxError> {
        self.with(|outbox| {
            outbox.token_changed();
            Ok(())
        })
    }

    /// Closes the file; closing twice is no fault.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn close(&self) -> Result<(), OutboxError> {
        self.lock().take();
        Ok(())
    }
}

impl Outbox {
    /// A panic under the lock leaves the file as its last commit left it: the queue goes on from there.
    fn lock(&self) -> MutexGuard<'_, Option<outbox::Outbox>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the queue, and then, without its lock, tells the log of it.
    pub(super) fn with<T>(
        &self,
        call: impl FnOnce(&mut outbox::Outbox) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let result = self.locked(call);
        if let Some(log) = &self.log {
            log.tell();
        }
        result
    }

    fn locked<T>(
        &self,
        call: impl FnOnce(&mut outbox::Outbox) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        let mut queue = self.lock();
        let outbox = queue.as_mut().ok_or(OutboxError::Closed)?;
        let before = outbox.recovery().cloned();
        outbox.tell_time(self.clock.now_ms());
        let result = call(outbox);
        if outbox.recovery() != before.as_ref() {
            self.note(|| outbox.recovery().map(log::repaired));
        }
        result
    }

    fn note(&self, line: impl FnOnce() -> Option<String>) {
        if let Some(log) = &self.log
            && let Some(line) = line()
        {
            log.note(line);
        }
    }
}

fn parse_key(key: &str) -> Result<IdempotencyKey, OutboxError> {
    key.parse().map_err(|_| OutboxError::NotFound)
}
