//! How many connections there may be at once, and those that are kept for health checks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use incident_core::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    limits::{HEALTH_CONNECTIONS, MAX_CONNECTIONS, OTHER_FILES},
    problem::ProblemDetails,
};

/// The connections of all listeners of this process, and how many one listener may have.
static OPEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

/// How many connections are open, and how many there may be before only health checks are answered.
pub(crate) fn connections() -> (usize, usize) {
    (OPEN.load(Ordering::Relaxed), MOST.load(Ordering::Relaxed))
}

/// The places of one listener.
pub(super) struct Places {
    for_all: Arc<Semaphore>,
    for_health: Arc<Semaphore>,
}

/// A place, given back when its connection ends.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    /// Whether it is kept for those who ask after the server's health.
    pub(super) for_health_only: bool,
}

/// Marks a request that came on a connection which is kept for health checks, and is none: it is refused as soon as it
/// is known whose it is.
#[derive(Clone, Copy)]
pub(crate) struct WithoutPlace;

/// The answer to it.
pub(crate) fn no_place() -> ProblemDetails {
    ProblemDetails::new(Problem::Overloaded, "all connections of this server are in use; send it again")
}

impl Place {
    fn new(permit: OwnedSemaphorePermit, for_health_only: bool) -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Self { _permit: permit, for_health_only }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Places {
    pub(super) fn new() -> Self {
        let most = max_connections();
        MOST.store(most, Ordering::Relaxed);
        let for_all = Arc::new(Semaphore::new(most));
        Self { for_all, for_health: Arc::new(Semaphore::new(HEALTH_CONNECTIONS)) }
    }

    /// Waits for a place, rather for one that is for all.
    pub(super) async fn take(&self) -> Place {
        let (for_all, for_health) = (Arc::clone(&self.for_all), Arc::clone(&self.for_health));
        let (permit, for_health_only) = tokio::select! {
            biased;
            permit = for_all.acquire_owned() => (permit, false),
            permit = for_health.acquire_owned() => (permit, true),
        };
        Place::new(permit.expect("the semaphores are never closed"), for_health_only)
    }
}

/// As many as the operating system lets this process have open, so that the database never runs short of files.
pub(crate) fn max_connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let others = OTHER_FILES + HEALTH_CONNECTIONS;
    usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(others).clamp(1, MAX_CONNECTIONS)
}
