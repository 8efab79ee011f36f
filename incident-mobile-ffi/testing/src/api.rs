//! The server across the boundary. What a test may not ask of it is said in so many words.

#![expect(clippy::needless_pass_by_value, reason = "what crosses the boundary is owned")]

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use incident_core::{IncidentId, Reporter, Timestamp};

use crate::{
    exchange::{Answer, Request},
    fault::FakeFault,
    incident::{FakeIncident, Moment},
    server::{MAX_FAULTS, Server},
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
    state: Mutex<(Server, Timestamp)>,
}

#[uniffi::export]
impl FakeServer {
    /// A server without incidents, where `reporter` is signed in; its clock stands at `now`.
    ///
    /// # Errors
    /// [`FakeServerError`] for a reporter or a moment that cannot be.
    #[uniffi::constructor]
    pub fn new(reporter: Option<String>, now: Moment) -> Result<Arc<Self>, FakeServerError> {
        let mut server = Server::default();
        server.signed_in = parse(reporter)?;
        Ok(Arc::new(Self { state: Mutex::new((server, checked(now)?)) }))
    }

    /// Answers, or lets the upload fail as ordered.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn answer(&self, request: Request) -> Result<Answer, FakeServerError> {
        let (server, now) = &mut *self.lock();
        Ok(server.answer(&request, *now))
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
        if self.lock().0.order(fault, count) {
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
        let signed_in = parse(reporter)?;
        self.lock().0.signed_in = signed_in;
        Ok(())
    }

    /// What the clock says.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn now(&self) -> Result<Moment, FakeServerError> {
        Ok(Moment(self.lock().1.unix_ms()))
    }

    /// Turns the clock to this moment, forwards or back.
    ///
    /// # Errors
    /// [`FakeServerError`] for a moment outside the years 1970 to 9999.
    pub fn turn_to(&self, now: Moment) -> Result<(), FakeServerError> {
        let now = checked(now)?;
        self.lock().1 = now;
        Ok(())
    }

    /// What the server has, oldest first.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn incidents(&self) -> Result<Vec<FakeIncident>, FakeServerError> {
        Ok(self.lock().0.incidents().into_iter().map(Into::into).collect())
    }

    /// Erases an incident, as an operator of the server would.
    ///
    /// # Errors
    /// [`FakeServerError`] where there is none of this id.
    pub fn erase(&self, id: String) -> Result<(), FakeServerError> {
        let (server, now) = &mut *self.lock();
        let is_erased = id.parse().is_ok_and(|id: IncidentId| server.erase(id, *now));
        if is_erased { Ok(()) } else { Err(nonsense("there is no incident of this id".into())) }
    }

    /// How many uploads it has seen, whatever became of them.
    ///
    /// # Errors
    /// None; every function here may fail, so that no caller has to tell those that may.
    pub fn uploads(&self) -> Result<i64, FakeServerError> {
        Ok(self.lock().0.uploads())
    }
}

impl FakeServer {
    fn lock(&self) -> MutexGuard<'_, (Server, Timestamp)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn nonsense(detail: String) -> FakeServerError {
    FakeServerError::Nonsense { detail }
}

fn checked(now: Moment) -> Result<Timestamp, FakeServerError> {
    Timestamp::from_unix_ms(now.0)
        .map_err(|_| nonsense("a clock shows a moment of the years 1970 to 9999".into()))
}

fn parse(reporter: Option<String>) -> Result<Option<Reporter>, FakeServerError> {
    let parsed = reporter.as_deref().map(Reporter::parse).transpose();
    parsed.map_err(|error| nonsense(error.to_string()))
}
