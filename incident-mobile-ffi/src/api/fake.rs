//! The server for an app's own tests, across the boundary. What a test may not ask of it is said in so many words.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use incident_core::{IncidentId, Reporter, Timestamp};

use super::{
    OutboxError, OutboxLog,
    clock::{Clock, system_ms},
    fake_incident::FakeIncident,
    outbox::Outbox,
};
use crate::{
    fake::{self, FakeFault, MAX_FAULTS},
    outbox::{Moment, OutboxSettings, Upload, UploadResult},
};

/// A test asked what makes no sense; nothing happened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum FakeServerError {
    /// What makes no sense about it.
    #[error("{detail}")]
    Nonsense {
        /// In words.
        detail: String,
    },
}

/// A server in memory that answers by the rules of the real one, under a clock that the test turns.
#[derive(Debug, uniffi::Object)]
pub struct FakeServer {
    server: Mutex<fake::FakeServer>,
    now_ms: Arc<AtomicI64>,
}

#[uniffi::export]
impl FakeServer {
    /// A server without incidents, where `reporter` is signed in; its clock stands at `now`, or at the device's time.
    ///
    /// # Errors
    /// [`FakeServerError`] for a reporter or a moment that cannot be.
    #[uniffi::constructor(default(now = None))]
    pub fn new(reporter: Option<String>, now: Option<Moment>) -> Result<Arc<Self>, FakeServerError> {
        let now_ms = now.map_or_else(system_ms, |now| now.0);
        checked(now_ms)?;
        let mut server = fake::FakeServer::default();
        server.signed_in = parse(reporter)?;
        Ok(Arc::new(Self { server: Mutex::new(server), now_ms: Arc::new(AtomicI64::new(now_ms)) }))
    }

    /// Opens an outbox whose clock is this server's, see [`Outbox::open`].
    ///
    /// # Errors
    /// See [`OutboxError`].
    #[uniffi::method(default(settings = None, log = None))]
    pub fn open_outbox(
        &self,
        path: String,
        reporter: String,
        settings: Option<OutboxSettings>,
        log: Option<Arc<dyn OutboxLog>>,
    ) -> Result<Arc<Outbox>, OutboxError> {
        Outbox::open_with(&path, &reporter, settings, log, Clock::Turned(self.now_ms.clone()))
    }

    /// Answers an upload, or lets it fail as ordered.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn answer(&self, upload: Upload) -> Result<UploadResult, FakeServerError> {
        let now = checked(self.now_ms.load(Ordering::SeqCst))?;
        Ok(self.lock().answer(&upload, now))
    }

    /// Lets the next uploads fail in this way, as many as `times`, behind those that were ordered before.
    ///
    /// # Errors
    /// [`FakeServerError`] for less than one or too many, or a time that is none.
    #[uniffi::method(default(times = 1))]
    pub fn order(&self, fault: FakeFault, times: i64) -> Result<(), FakeServerError> {
        if let FakeFault::Busy { retry_after_s: seconds @ ..0 } = fault {
            return Err(nonsense(format!("a server cannot ask to wait for {seconds} s")));
        }
        let count = usize::try_from(times).ok().filter(|count| *count > 0);
        let count = count.ok_or_else(|| nonsense(format!("a fault cannot happen {times} times")))?;
        if self.lock().order(fault, count) {
            Ok(())
        } else {
            Err(nonsense(format!("more than {MAX_FAULTS} faults would stand in line")))
        }
    }

    /// From now on the token that comes with uploads is this reporter's, or nobody's.
    ///
    /// # Errors
    /// [`FakeServerError`] for an identity that no token could carry.
    pub fn sign_in(&self, reporter: Option<String>) -> Result<(), FakeServerError> {
        self.lock().signed_in = parse(reporter)?;
        Ok(())
    }

    /// What the clock of the server and of its outboxes says.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn now(&self) -> Result<Moment, FakeServerError> {
        Ok(Moment(self.now_ms.load(Ordering::SeqCst)))
    }

    /// Turns the clock to this moment, forwards or back.
    ///
    /// # Errors
    /// [`FakeServerError`] for a moment outside the years 1970 to 9999.
    pub fn turn_to(&self, now: Moment) -> Result<(), FakeServerError> {
        checked(now.0)?;
        self.now_ms.store(now.0, Ordering::SeqCst);
        Ok(())
    }

    /// What the server has, oldest first.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn incidents(&self) -> Result<Vec<FakeIncident>, FakeServerError> {
        Ok(self.lock().incidents().into_iter().map(Into::into).collect())
    }

    /// Erases an incident, as an operator of the server would.
    ///
    /// # Errors
    /// [`FakeServerError`] where there is none of this id.
    pub fn erase(&self, id: String) -> Result<(), FakeServerError> {
        let now = checked(self.now_ms.load(Ordering::SeqCst))?;
        let is_erased = id.parse().is_ok_and(|id: IncidentId| self.lock().erase(id, now));
        if is_erased { Ok(()) } else { Err(nonsense("there is no incident of this id".into())) }
    }

    /// How many uploads it has seen, whatever became of them.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn uploads(&self) -> Result<i64, FakeServerError> {
        Ok(self.lock().uploads())
    }
}

impl FakeServer {
    fn lock(&self) -> MutexGuard<'_, fake::FakeServer> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nonsense(detail: String) -> FakeServerError {
    FakeServerError::Nonsense { detail }
}

fn checked(now_ms: i64) -> Result<Timestamp, FakeServerError> {
    Timestamp::from_unix_ms(now_ms)
        .map_err(|_| nonsense("a clock shows a moment of the years 1970 to 9999".into()))
}

fn parse(reporter: Option<String>) -> Result<Option<Reporter>, FakeServerError> {
    let parsed = reporter.as_deref().map(Reporter::parse).transpose();
    parsed.map_err(|error| nonsense(error.to_string()))
}
