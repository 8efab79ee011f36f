//! How many connections there may be at once, and those that are kept for health checks.

use std::sync::Arc;

use incident_core::Problem;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    connections::{self, OpenConnection},
    limits::{HEALTH_CONNECTIONS, MAX_CONNECTIONS, OTHER_FILES},
    problem::ProblemDetails,
};

/// How many connections one listener may have.
pub(super) struct ConnectionPermits {
    for_all: Arc<Semaphore>,
    for_health: Arc<Semaphore>,
}

/// Given back when its connection ends.
pub(super) struct ConnectionPermit {
    _permit: OwnedSemaphorePermit,
    _counted: OpenConnection,
    /// Whether it is kept for those who ask after the server's health.
    pub(super) for_health_only: bool,
}

/// Marks a request that came on a connection which is kept for health checks, and is none: it is refused as soon as it
/// is known whose it is.
#[derive(Clone, Copy)]
pub(crate) struct WithoutPermit;

/// The answer to it.
pub(crate) fn no_connection_left() -> ProblemDetails {
    ProblemDetails::new(Problem::Overloaded, "all connections of this server are in use; send it again")
}

impl ConnectionPermits {
    pub(super) fn new() -> Self {
        let most = max_connections();
        connections::allow(most);
        let for_all = Arc::new(Semaphore::new(most));
        Self { for_all, for_health: Arc::new(Semaphore::new(HEALTH_CONNECTIONS)) }
    }

    /// Waits for a permit, rather for one that is for all.
    pub(super) async fn take(&self) -> ConnectionPermit {
        let (for_all, for_health) = (Arc::clone(&self.for_all), Arc::clone(&self.for_health));
        let (permit, for_health_only) = tokio::select! {
            biased;
            permit = for_all.acquire_owned() => (permit, false),
            permit = for_health.acquire_owned() => (permit, true),
        };
        let permit = permit.expect("the semaphores are never closed");
        ConnectionPermit { _permit: permit, _counted: OpenConnection::begin(), for_health_only }
    }
}

/// As many as the operating system lets this process have open, so that the database never runs short of files.
pub(crate) fn max_connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let others = OTHER_FILES + HEALTH_CONNECTIONS;
    usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(others).clamp(1, MAX_CONNECTIONS)
}
