//! One of the tasks that commit.

use std::{panic::AssertUnwindSafe, pin::pin, sync::Arc};

use futures_util::FutureExt;
use tokio::{
    sync::{Mutex, mpsc},
    time::{Instant, timeout},
};

use super::{CommitError, breaker::Breaker, queue::Job};
use crate::{
    Clock,
    limits::COMMIT_DEADLINE,
    metrics::Metrics,
    store::{ItemError, Store, StoreError, SyncItem, Verdict},
};

pub(super) struct Worker {
    pub(super) receiver: Arc<Mutex<mpsc::UnboundedReceiver<Job>>>,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Clock,
    pub(super) metrics: Arc<Metrics>,
    pub(super) breaker: Arc<Breaker>,
    pub(super) max_batch: usize,
}

/// The verdicts on a batch in order, and what ended it before all had one.
type Committed = (Vec<Verdict>, Option<StoreError>);

impl Worker {
    /// Commits until the queue is closed and empty.
    pub(super) async fn work(&self) {
        while let Some(jobs) = self.next_batch().await {
            self.commit(jobs).await;
        }
    }

    /// Waits for a request, then takes all that wait with it, up to the limit; `None` at the end.
    async fn next_batch(&self) -> Option<Vec<Job>> {
        let mut receiver = self.receiver.lock().await;
        let mut jobs = vec![receiver.recv().await?];
        let mut payloads = jobs[0].count;
        while payloads < self.max_batch
            && let Ok(job) = receiver.try_recv()
        {
            payloads += job.count;
            jobs.push(job);
        }
        Some(jobs)
    }

    /// Answers in time whatever the database does, but goes on only when its statement has ended: so there are never
    /// more statements on their way than workers.
    async fn commit(&self, mut jobs: Vec<Job>) {
        let open = self.breaker.is_open();
        for late in jobs.extract_if(.., |job| open || job.waited_too_long()) {
            late.answer(Err(CommitError::Suspended));
        }
        let batch: Vec<SyncItem> = jobs.iter_mut().flat_map(|job| std::mem::take(&mut job.items)).collect();
        if batch.is_empty() {
            return;
        }
        let mut work = pin!(AssertUnwindSafe(self.commit_in_parts(&batch)).catch_unwind());
        match timeout(COMMIT_DEADLINE, &mut work).await {
            Ok(Ok(committed)) => answer_each(jobs, committed),
            Ok(Err(_)) => {} // a bug: the jobs are dropped and answered as such
            Err(_) => {
                self.breaker.overran();
                self.refuse(jobs);
                let _ = work.await;
            }
        }
    }

    /// Answers those whose commit takes too long, and all that wait behind them.
    fn refuse(&self, jobs: Vec<Job>) {
        tracing::error!("the database did not answer in time; answered 503");
        for job in jobs {
            job.answer(Err(CommitError::Late));
        }
        if let Ok(mut receiver) = self.receiver.try_lock() {
            while let Ok(job) = receiver.try_recv() {
                job.answer(Err(CommitError::Suspended));
            }
        }
    }

    /// Commits a batch. Where the database does not take it, its halves, so that only the guilty item fails; they are
    /// taken in order, for payloads of one incident take effect in theirs.
    async fn commit_in_parts(&self, batch: &[SyncItem]) -> Committed {
        let mut verdicts = Vec::with_capacity(batch.len());
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            match self.sync(part).await {
                Ok(of_part) => verdicts.extend(of_part),
                Err(StoreError::Refused(_)) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Err(StoreError::Refused(error)) => verdicts.push(Err(ItemError::refused(&error))),
                Err(error) => return (verdicts, Some(error)),
            }
        }
        (verdicts, None)
    }

    async fn sync(&self, part: &[SyncItem]) -> Result<Vec<Verdict>, StoreError> {
        let started = Instant::now();
        let committed = self.store.sync(part, self.clock.now()).await;
        self.metrics.commit(part.len(), started.elapsed().as_secs_f64());
        match &committed {
            Err(StoreError::Unavailable(_)) => self.breaker.failed(started),
            Ok(_) | Err(_) => self.breaker.committed(),
        }
        committed
    }
}

/// Gives every request its own verdicts, in order; one that has not got all of them is told why.
fn answer_each(jobs: Vec<Job>, (verdicts, error): Committed) {
    let error = error.map(Arc::new);
    let mut verdicts = verdicts.into_iter();
    for job in jobs {
        let own: Vec<_> = verdicts.by_ref().take(job.count).collect();
        match &error {
            Some(error) if own.len() < job.count => job.answer(Err(CommitError::Store(Arc::clone(error)))),
            _ => job.answer(Ok(own)),
        }
    }
}
