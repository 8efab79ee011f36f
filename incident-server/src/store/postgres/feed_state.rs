//! What those who follow the history share, and reads that end in time.

use std::{sync::atomic::AtomicBool, time::Instant};

use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::sessions::Sessions;
use crate::{
    limits::READ_DEADLINE,
    store::{Position, StoreError},
};

/// What those who follow the history share.
pub(super) struct FeedState {
    pub(super) readers: Sessions,
    /// This server has written.
    pub(super) written: Notify,
    /// Up to where the history was seen to be complete; wakes those who wait for more.
    pub(super) complete_to: watch::Sender<Position>,
    /// A reader was shown less than was there, because something was on its way.
    pub(super) unsettled: AtomicBool,
}

impl FeedState {
    /// For reads; one that is given up shows that the sessions that are idle meanwhile may be dead, too.
    pub(super) async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let started = Instant::now();
        match timeout(READ_DEADLINE, work).await {
            Ok(done) => done,
            Err(late) => {
                tracing::warn!("the database did not answer in time; its session is closed");
                self.readers.discard_idle(started);
                Err(StoreError::Unavailable(Box::new(late)))
            }
        }
    }
}
