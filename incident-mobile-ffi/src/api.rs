//! The glass over the outbox: records, enums, one object. Convert, call, convert.

// What crosses the glass is owned.
#![allow(clippy::needless_pass_by_value)]

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use incident_core::{IdempotencyKey, Reporter, Timestamp};

use crate::outbox::{self, Options};

/// A report as an app's form gives it; nothing is checked yet.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Draft {
    /// Where it happened: 1 to 128 characters once trimmed.
    pub location_id: String,
    /// 1 to 64 characters once trimmed; blank means absent.
    #[uniffi(default = None)]
    pub room_number: Option<String>,
    /// Degrees, −180 to 180.
    pub longitude: f64,
    /// Degrees, −90 to 90.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    #[uniffi(default = false)]
    pub is_anonymous: bool,
    /// When it happened, in ms since 1970; now if absent.
    #[uniffi(default = None)]
    pub created_at_ms: Option<i64>,
    /// Why it is called off at once, if it is: 1 to 1000 characters once trimmed.
    #[uniffi(default = None)]
    pub cancellation_reason: Option<String>,
}

/// One broken rule of one field.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the payload.
    pub pointer: String,
    /// Which rule, such as `too-long`.
    pub code: String,
    /// What to do about it, in words.
    pub detail: String,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum EntryState {
    /// It waits to be sent.
    Pending,
    /// It is part of the upload that is under way.
    Sending,
    /// The server has it.
    Settled,
    /// The server refuses it: tell the user, who may retry or discard it.
    Quarantined,
}

/// What the last sync did to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Outcome {
    /// The incident is new and open.
    Created,
    /// The incident is new, and was called off before it arrived.
    CreatedAndCancelled,
    /// Nothing changed: a repeat.
    Unchanged,
    /// The open incident is now cancelled.
    Cancelled,
    /// It was cancelled before for another reason, which stays.
    AlreadyCancelled,
}

/// Where an incident stands on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum IncidentStatus {
    /// Reported, not called off.
    Open,
    /// Called off.
    Cancelled,
}

/// What the server says about a settled report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Incident {
    /// The id under which the server keeps it.
    pub id: String,
    /// Open or cancelled.
    pub status: IncidentStatus,
    /// What the last sync did.
    pub outcome: Outcome,
    /// When the server first heard of it, in ms since 1970.
    pub received_at_ms: i64,
    /// Whether the server found the phone's clock implausible.
    pub clock_suspect: bool,
    /// When the server recorded the cancellation, in ms since 1970.
    pub cancelled_at_ms: Option<i64>,
    /// The reason that the server keeps.
    pub cancellation_reason: Option<String>,
}

/// Why the server did not take a report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Problem {
    /// The HTTP status.
    pub status: i64,
    /// Which problem, such as `validation-failed`, if the answer said so.
    pub slug: Option<String>,
    /// What the server says about it.
    pub detail: Option<String>,
    /// The rules that are broken.
    pub errors: Vec<Violation>,
    /// The fields in which the stored incident differs.
    pub fields: Vec<String>,
}

/// One report and what became of it.
#[derive(Debug, Clone, PartialEq, uniffi::Record)]
pub struct Entry {
    /// The incident's idempotency key.
    pub key: String,
    /// Where it stands.
    pub state: EntryState,
    /// Where it happened.
    pub location_id: String,
    /// The room, if there is one.
    pub room_number: Option<String>,
    /// Degrees.
    pub longitude: f64,
    /// Degrees.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// When it happened, in ms since 1970.
    pub created_at_ms: i64,
    /// Why it was called off, if it was.
    pub cancellation_reason: Option<String>,
    /// The canonical payload that goes to the server.
    pub payload: String,
    /// When it was reported, in ms since 1970.
    pub reported_at_ms: i64,
    /// When it changed last, in ms since 1970.
    pub changed_at_ms: i64,
    /// How often the server answered it.
    pub attempts: i64,
    /// The last problem, until it is settled.
    pub problem: Option<Problem>,
    /// The server's word, once it was settled.
    pub incident: Option<Incident>,
}

/// What was saved from a hurt file.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Recovery {
    /// Entries that were saved.
    pub saved: i64,
    /// Entries that are known to have been there and could not be read.
    pub lost: i64,
    /// Where the hurt file is kept.
    pub moved_to: String,
}

/// The queue of one reporter in numbers.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Summary {
    /// Entries that wait to be sent, those under way included.
    pub pending: i64,
    /// Entries that are part of the upload under way.
    pub sending: i64,
    /// Entries that the server has.
    pub settled: i64,
    /// Entries that the user should look at.
    pub quarantined: i64,
    /// Entries of other reporters that wait until those are back.
    pub of_others: i64,
    /// What was saved, if the file was found hurt since it was opened.
    pub recovery: Option<Recovery>,
}

/// A header of a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Header {
    /// In any letter case.
    pub name: String,
    /// As it stands on the wire.
    pub value: String,
}

/// A request for the platform to send, once it has added the token.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Upload {
    /// To be handed back with the answer.
    pub id: i64,
    /// `POST`.
    pub method: String,
    /// Below the server's address.
    pub path: String,
    /// All but `Authorization`.
    pub headers: Vec<Header>,
    /// JSON, UTF-8.
    pub body: Vec<u8>,
    /// After how long without an answer to give up.
    pub timeout_ms: i64,
}

/// What the queue waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum WaitReason {
    /// The network.
    Offline,
    /// Somebody else answered: a captive portal, a proxy.
    NotTheServer,
    /// The server asks for patience or has trouble of its own.
    ServerBusy,
    /// The address is wrong, or the server is too old for it.
    WrongAddress,
    /// An upload that is under way, here or in another process.
    AnotherSender,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum NextUpload {
    /// Send this and hand back what came of it.
    Send {
        /// The request.
        upload: Upload,
    },
    /// Nothing before this moment.
    Wait {
        /// In ms since 1970.
        until_ms: i64,
        /// What is being waited for.
        why: WaitReason,
    },
    /// Nothing before there is a new token.
    SignIn,
    /// Nothing to send.
    Idle,
}

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum UploadResult {
    /// The server, or somebody in its place, answered.
    Response {
        /// The HTTP status.
        status: i64,
        /// As received.
        headers: Vec<Header>,
        /// As received.
        body: Vec<u8>,
    },
    /// No answer: no network, no address, a time-out, a broken connection.
    NetworkFailure,
    /// The app did not want to wait for the answer.
    Cancelled,
}

/// What one answer did, and what is left.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Progress {
    /// Entries that this answer settled.
    pub settled: i64,
    /// Entries that this answer sent into quarantine.
    pub quarantined: i64,
    /// Entries of this reporter that are still to go.
    pub pending: i64,
}

/// Why an outbox did not do what it was asked. Nothing is lost by any of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum OutboxError {
    /// The draft or the reason breaks rules: correct it.
    #[error("{}", violations.iter().map(|violation| violation.detail.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// All of them.
        violations: Vec<Violation>,
    },
    /// The text is no JSON document.
    #[error("{detail}")]
    Malformed {
        /// Where it stops being one.
        detail: String,
    },
    /// The reporter's identity is none that a token could carry.
    #[error("a reporter's identity has 1 to 255 characters and no control character")]
    InvalidReporter,
    /// The report was called off before, for another reason.
    #[error("the report is already cancelled for another reason")]
    AlreadyCancelled,
    /// This reporter has no entry of that key.
    #[error("there is no such entry")]
    NotFound,
    /// The entry still waits to be sent: cancel it instead.
    #[error("an entry that still waits to be sent is not discarded")]
    StillPending,
    /// The queue holds as much as it may: sync first.
    #[error("the outbox is full")]
    Full,
    /// The device has no room left: free some.
    #[error("the device has no room left")]
    NoSpace,
    /// The file cannot be used at the moment and was not touched: try again later.
    #[error("{detail}")]
    Unavailable {
        /// What the system says.
        detail: String,
    },
    /// The file was hurt while in use and has been repaired: ask again.
    #[error("the outbox was hurt and has been repaired; ask again")]
    Hurt,
    /// A newer version of the app wrote the file: update.
    #[error("the outbox was written by a newer version")]
    NewerSchema,
    /// The outbox was closed: open it again.
    #[error("the outbox is closed")]
    Closed,
}

/// The queue of one reporter in one file. May be used from several threads; calls go one after the other.
#[derive(Debug, uniffi::Object)]
pub struct Outbox(Mutex<Option<outbox::Outbox>>);

#[uniffi::export]
impl Outbox {
    /// Opens the file at `path`, or makes it.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::constructor]
    pub fn open(path: String, reporter: String) -> Result<Arc<Self>, OutboxError> {
        let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
        let opened = outbox::Outbox::open(Path::new(&path), reporter, Options::default(), now_ms())?;
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

    /// The entries of this reporter, newest first, at most `limit`.
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::method(default(filter = None, limit = 100))]
    pub fn entries(&self, filter: Option<EntryState>, limit: i64) -> Result<Vec<Entry>, OutboxError> {
        let limit = usize::try_from(limit).unwrap_or(0);
        self.with(|outbox| {
            Ok(outbox.entries(filter.map(Into::into), limit)?.into_iter().map(Into::into).collect())
        })
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
        self.with(|outbox| {
            let summary = outbox.summary()?;
            Ok((summary, outbox.recovery()).into())
        })
    }

    /// Says what to send next.
    ///
    /// # Errors
    /// See [`OutboxError`].
    pub fn next_upload(&self) -> Result<NextUpload, OutboxError> {
        self.with(|outbox| Ok(outbox.next_upload(now_ms())?.into()))
    }

    /// Takes what came of an upload; one that is no longer under way changes nothing.
    ///
    /// # Errors
    /// See [`OutboxError`]; then the entries are pending as before.
    pub fn complete_upload(&self, upload_id: i64, result: UploadResult) -> Result<Progress, OutboxError> {
        self.with(|outbox| Ok(outbox.complete_upload(upload_id, &result.into(), now_ms())?.into()))
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
    /// None; every function of the glass may fail, so that no caller has to tell those that may.
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

/// Checks a draft as `report` would, and gives its canonical payload; `now_ms` stands in for an absent time.
///
/// # Errors
/// [`OutboxError::Invalid`] with every violation.
#[uniffi::export]
pub fn validate_draft(draft: Draft, now_ms: i64) -> Result<String, OutboxError> {
    let payload = outbox::NewReport::from(draft).check(now_ms).map_err(outbox::OutboxError::Invalid)?;
    Ok(payload.to_canonical_json())
}

/// The idempotency key of what `reporter` reported at `created_at`, an ISO 8601 date-time with an offset.
///
/// # Errors
/// [`OutboxError::InvalidReporter`], or [`OutboxError::Invalid`] for the time.
#[uniffi::export]
pub fn derive_key(reporter: String, created_at: String) -> Result<String, OutboxError> {
    let reporter = Reporter::parse(&reporter).map_err(|_| OutboxError::InvalidReporter)?;
    let violation = incident_core::Violation { pointer: "/createdAt", code: incident_core::Code::Timestamp };
    let created_at: Timestamp =
        created_at.parse().map_err(|_| OutboxError::Invalid { violations: vec![violation.into()] })?;
    Ok(IdempotencyKey::derive(&reporter, created_at).to_string())
}

/// A payload in JSON text, in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CanonicalPayload {
    /// The canonical text.
    pub text: String,
    /// The unknown fields that were skipped, as JSON Pointers.
    pub ignored: Vec<String>,
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

/// The one place that looks at the clock.
#[allow(clippy::disallowed_methods)]
fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
