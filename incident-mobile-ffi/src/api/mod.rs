//! The boundary to the other languages: one object and three functions. Shapes that are the same on both sides are
//! the queue's own; only a draft, an entry and an error are converted.

#![expect(clippy::needless_pass_by_value, reason = "what crosses the boundary is owned")]

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use incident_core::{IdempotencyKey, Reporter, SyncPayload, Timestamp};

use crate::outbox::{self, EntryState, Moment, NextUpload, OutboxSettings, Progress, Summary, UploadResult};

mod error;
mod records;

pub use error::OutboxError;
pub use records::{CanonicalPayload, Draft, Entry};

/// The queue of one reporter in one file. May be used from several threads; calls go one after the other.
#[derive(Debug, uniffi::Object)]
pub struct Outbox(Mutex<Option<outbox::Outbox>>);

#[uniffi::export]
impl Outbox {
    /// Opens the file at `path`, or makes it.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::constructor(default(settings = None))]
    pub fn open(
        path: String,
        reporter: String,
        settings: Option<OutboxSettings>,
    ) -> Result<Arc<Self>, OutboxError> {
        let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
        let options = settings.unwrap_or_default().into();
        let opened = outbox::Outbox::open(Path::new(&path), reporter, options, now_ms())?;
        Ok(Arc::new(Self(Mutex::new(Some(opened)))))
    }

    /// Takes a report; it is durable when this returns.
    ///
    /// # Errors
    /// See [`OutboxError`]; then nothing was taken.
    pub fn report(&self, draft: Draft) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.report(&draft.into(), now_ms())?.into()))
    }

    /// Calls a report off.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn cancel(&self, key: String, reason: String) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.cancel(parse_key(&key)?, &reason, now_ms())?.into()))
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
        let limit = usize::try_from(limit).unwrap_or(0);
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
        self.with(|outbox| Ok(outbox.next_upload(now_ms())?))
    }

    /// Takes what came of an upload; one that is no longer under way changes nothing.
    ///
    /// # Errors
    /// See [`OutboxError`]; then the entries are pending as before.
    pub fn complete_upload(&self, upload_id: i64, result: UploadResult) -> Result<Progress, OutboxError> {
        self.with(|outbox| Ok(outbox.complete_upload(upload_id, &result, now_ms())?))
    }

    /// Sends an entry again: one in quarantine is pending again, and a back-off lapses.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn retry(&self, key: String) -> Result<Entry, OutboxError> {
        self.with(|outbox| Ok(outbox.retry(parse_key(&key)?, now_ms())?.into()))
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
        self.with(|outbox| Ok(outbox.retry_all(filter, now_ms())?))
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        call: impl FnOnce(&mut outbox::Outbox) -> Result<T, OutboxError>,
    ) -> Result<T, OutboxError> {
        call(self.lock().as_mut().ok_or(OutboxError::Closed)?)
    }
}

/// Checks a draft as `report` would, and gives its canonical payload; `now` stands in for an absent time.
///
/// # Errors
/// [`OutboxError::Invalid`] with every violation.
#[uniffi::export]
pub fn validate_draft(draft: Draft, now: Moment) -> Result<String, OutboxError> {
    let payload = SyncPayload::from_draft(&draft.into(), now.0).map_err(outbox::OutboxError::Invalid)?;
    Ok(payload.to_canonical_json())
}

/// The idempotency key of what `reporter` reported at `created_at`, an ISO 8601 date-time with an offset.
///
/// # Errors
/// [`OutboxError::InvalidReporter`], or [`OutboxError::Invalid`] for the time.
#[uniffi::export]
pub fn derive_key(reporter: String, created_at: String) -> Result<String, OutboxError> {
    let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
    let violation = incident_core::Violation {
        pointer: incident_core::Pointer::CreatedAt,
        code: incident_core::Code::Timestamp,
    };
    let created_at: Timestamp =
        created_at.parse().map_err(|_| OutboxError::Invalid { violations: vec![violation.into()] })?;
    Ok(IdempotencyKey::derive(&reporter, created_at).to_string())
}

/// Reads a payload as the server would.
///
/// # Errors
/// [`OutboxError::Malformed`], or [`OutboxError::Invalid`] with every violation.
#[uniffi::export]
pub fn canonical_payload(json: Vec<u8>) -> Result<CanonicalPayload, OutboxError> {
    Ok(incident_core::decode(&json)?.into())
}

fn parse_key(key: &str) -> Result<IdempotencyKey, OutboxError> {
    key.parse().map_err(|_| OutboxError::NotFound)
}

#[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
