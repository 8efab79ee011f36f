//! What waits for its commit: bounded in payloads and in bytes.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};

use super::CommitError;
use crate::{
    limits::{QUEUE_BYTES, QUEUE_DEADLINE},
    metrics::Metrics,
    store::{SyncItem, Verdict},
};

/// How much the queue takes.
#[derive(Debug, Clone, Copy)]
pub struct QueueLimits {
    /// Payloads that wait for their commit at most; one more is refused.
    pub in_flight: usize,
    /// Payloads after which no further request joins a transaction.
    pub batch: usize,
}

impl QueueLimits {
    /// What a server has unless its operator chooses otherwise.
    pub const DEFAULT: Self = Self { in_flight: 4096, batch: 512 };
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The items of one request.
pub(super) struct Job {
    pub(super) items: Vec<SyncItem>,
    pub(super) count: usize,
    arrived: Instant,
    answer: oneshot::Sender<Result<Vec<Verdict>, CommitError>>,
    _permit: QueuePermit,
}

impl Job {
    pub(super) fn new(
        items: Vec<SyncItem>,
        permit: QueuePermit,
    ) -> (Self, oneshot::Receiver<Result<Vec<Verdict>, CommitError>>) {
        let (answer, verdicts) = oneshot::channel();
        let (count, arrived) = (items.len(), Instant::now());
        (Self { items, count, arrived, answer, _permit: permit }, verdicts)
    }

    /// Whether a commit would come too late for its answer.
    pub(super) fn waited_too_long(&self) -> bool {
        self.arrived.elapsed() > QUEUE_DEADLINE
    }

    /// Nobody may be waiting any more; the commit stands all the same.
    pub(super) fn answer(self, verdicts: Result<Vec<Verdict>, CommitError>) {
        let _ = self.answer.send(verdicts);
    }
}

/// How much room there is in the queue.
pub(super) struct Room {
    payloads: Permits,
    bytes: Permits,
    metrics: Arc<Metrics>,
}

/// A semaphore and how many permits it has in all.
struct Permits {
    free: Arc<Semaphore>,
    all: u32,
}

/// Room in the queue, given back when the request is answered.
pub(super) struct QueuePermit {
    _payloads: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
    count: i64,
    metrics: Arc<Metrics>,
}

impl Room {
    pub(super) fn new(payloads: usize, metrics: &Arc<Metrics>) -> Self {
        let (payloads, bytes) = (Permits::new(payloads), Permits::new(QUEUE_BYTES));
        Self { payloads, bytes, metrics: Arc::clone(metrics) }
    }

    /// `None` where there is none. What is larger than the whole queue has room in an empty one.
    pub(super) fn take(&self, items: &[SyncItem]) -> Option<QueuePermit> {
        let payloads = self.payloads.take(items.len())?;
        let bytes = self.bytes.take(items.iter().map(SyncItem::bytes).sum())?;
        let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
        self.metrics.queue(count);
        Some(QueuePermit { _payloads: payloads, _bytes: bytes, count, metrics: Arc::clone(&self.metrics) })
    }
}

impl Permits {
    fn new(all: usize) -> Self {
        let all = u32::try_from(all.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { free: Arc::new(Semaphore::new(all as usize)), all }
    }

    fn take(&self, wanted: usize) -> Option<OwnedSemaphorePermit> {
        let wanted = u32::try_from(wanted).unwrap_or(u32::MAX).min(self.all);
        Arc::clone(&self.free).try_acquire_many_owned(wanted).ok()
    }
}

impl Drop for QueuePermit {
    fn drop(&mut self) {
        self.metrics.queue(-self.count);
    }
}
