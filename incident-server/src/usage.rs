//! What one identity uses at once: requests, streams, and the bytes of its bodies and answers under way.
//!
//! By token subject, as the rates are. A share is given back when what holds it is dropped: a request's place with
//! its answer, the bytes of an answer when the last of them has left for the peer.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use incident_core::Reporter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits::{BYTES_PER_IDENTITY, REQUESTS_PER_IDENTITY, STREAMS_PER_IDENTITY},
    problem::ProblemDetails,
};

/// Until when somebody who uses too much at once should wait: their own requests end by themselves.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What one identity may still use.
pub(crate) struct Usage {
    requests: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    pub(crate) bytes: Arc<Semaphore>,
}

impl fmt::Debug for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Usage")
    }
}

impl Usage {
    fn new() -> Arc<Self> {
        let of = |most| Arc::new(Semaphore::new(most));
        let (requests, streams) = (of(REQUESTS_PER_IDENTITY), of(STREAMS_PER_IDENTITY));
        Arc::new(Self { requests, streams, bytes: of(BYTES_PER_IDENTITY) })
    }

    pub(crate) fn request(&self) -> Result<OwnedSemaphorePermit, ProblemDetails> {
        Arc::clone(&self.requests).try_acquire_owned().map_err(|_| too_much())
    }

    pub(crate) fn stream(&self) -> Result<OwnedSemaphorePermit, ProblemDetails> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| too_many_streams())
    }
}

/// The answer to an identity that has too much under way at once.
pub(crate) fn too_much() -> ProblemDetails {
    ProblemDetails::rate_limited(RETRY_AFTER_SECONDS)
}

/// Streams do not end by themselves.
fn too_many_streams() -> ProblemDetails {
    too_much().saying(format!(
        "this identity has {STREAMS_PER_IDENTITY} streams open, as many as one may have; close another one first"
    ))
}

/// What each identity uses that has asked lately.
#[derive(Default)]
pub(crate) struct Usages(Mutex<HashMap<Reporter, Arc<Usage>>>);

impl Usages {
    /// The same for every token of one identity.
    pub(crate) fn of(&self, reporter: &Reporter) -> Arc<Usage> {
        let mut usages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(usages.entry(reporter.clone()).or_insert_with(Usage::new))
    }

    /// Forgets those of whom no token is remembered and nothing is under way.
    pub(crate) fn forget_idle(&self) {
        let mut usages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        usages.retain(|_, usage| Arc::strong_count(usage) > 1);
    }
}
