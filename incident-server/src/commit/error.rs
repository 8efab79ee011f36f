//! Why a request was not committed.

use std::sync::Arc;

use crate::store::StoreError;

/// Why a request was not committed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// The queue is full.
    #[error("too many requests wait for their commit")]
    QueueFull,
    /// The server is stopping.
    #[error("the server is stopping")]
    Draining,
    /// The database does not commit at present; nothing of the request was tried.
    #[error("the database does not commit; nothing was tried")]
    Suspended,
    /// The database did not answer in time; the request's effect is unknown.
    #[error("the database did not answer in time; whether this took effect is not known")]
    Late,
    /// The store gave no answer; the request's effect is unknown.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// The committing task died: a bug.
    #[error("the committing task gave no answer")]
    Died,
}
