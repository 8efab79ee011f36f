//! Group commit: many requests, one transaction, many answers.
//!
//! Requests that wait while a commit runs form the next transaction; no timer is needed. The work runs in
//! tasks of its own, so a client that goes away never leaves half an effect.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, PoisonError},
    time::Instant,
};

use futures_util::FutureExt;
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::JoinSet,
};

use crate::{
    Clock,
    metrics::Metrics,
    store::{Store, StoreError, SyncItem, Verdict},
};

/// How much the queue takes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests that wait for their commit at most; one more is refused.
    pub in_flight: usize,
    /// Payloads after which no further request joins a transaction.
    pub batch: usize,
}

/// Why a request was not committed.
#[derive(Debug, Clone)]
pub enum CommitError {
    /// The queue is full.
    QueueFull,
    /// The server is stopping.
    Draining,
    /// The store gave no answer; the request's effect is unknown.
    Store(Arc<StoreError>),
    /// The committing task died: a bug.
    Died,
}

struct Job {
    items: Vec<SyncItem>,
    count: usize,
    answer: oneshot::Sender<Result<Vec<Verdict>, CommitError>>,
    _place: Place,
}

impl Job {
    /// Nobody may be waiting any more; the commit stands all the same.
    fn answer(self, verdicts: Result<Vec<Verdict>, CommitError>) {
        let _ = self.answer.send(verdicts);
    }
}

/// A place in the queue, given back when the request is answered.
struct Place {
    _permit: OwnedSemaphorePermit,
    metrics: Arc<Metrics>,
}

impl Place {
    fn take(in_flight: &Arc<Semaphore>, metrics: &Arc<Metrics>) -> Option<Self> {
        let permit = Arc::clone(in_flight).try_acquire_owned().ok()?;
        metrics.queue(1);
        Some(Self { _permit: permit, metrics: Arc::clone(metrics) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.metrics.queue(-1);
    }
}

/// The door to the committing tasks.
pub struct Committer {
    jobs: std::sync::Mutex<Option<mpsc::UnboundedSender<Job>>>,
    in_flight: Arc<Semaphore>,
    metrics: Arc<Metrics>,
    workers: Mutex<JoinSet<()>>,
}

impl Committer {
    /// Starts as many workers as the store takes batches at once.
    pub fn start(store: &Arc<dyn Store>, clock: &Clock, metrics: &Arc<Metrics>, limits: Limits) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let mut workers = JoinSet::new();
        for _ in 0..store.writers() {
            workers.spawn(work(Worker {
                receiver: Arc::clone(&receiver),
                store: Arc::clone(store),
                clock: clock.clone(),
                metrics: Arc::clone(metrics),
                max_batch: limits.batch,
            }));
        }
        Self {
            jobs: std::sync::Mutex::new(Some(sender)),
            in_flight: Arc::new(Semaphore::new(limits.in_flight.min(Semaphore::MAX_PERMITS))),
            metrics: Arc::clone(metrics),
            workers: Mutex::new(workers),
        }
    }

    /// Commits the items of one request and returns a verdict for each, in order.
    ///
    /// What is accepted is committed even if the caller stops waiting.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the request is known to have happened then.
    pub async fn commit(&self, items: Vec<SyncItem>) -> Result<Vec<Verdict>, CommitError> {
        let place = Place::take(&self.in_flight, &self.metrics).ok_or(CommitError::QueueFull)?;
        let (answer, verdicts) = oneshot::channel();
        self.enqueue(Job { count: items.len(), items, answer, _place: place })?;
        verdicts.await.map_err(|_| CommitError::Died)?
    }

    fn enqueue(&self, job: Job) -> Result<(), CommitError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().ok_or(CommitError::Draining)?.send(job).map_err(|_| CommitError::Died)
    }

    /// Takes no more requests, commits those that were accepted, then returns.
    pub async fn drain(&self) {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        while self.workers.lock().await.join_next().await.is_some() {}
    }
}

struct Worker {
    receiver: Arc<Mutex<mpsc::UnboundedReceiver<Job>>>,
    store: Arc<dyn Store>,
    clock: Clock,
    metrics: Arc<Metrics>,
    max_batch: usize,
}

async fn work(worker: Worker) {
    while let Some(jobs) = worker.next_batch().await {
        worker.commit(jobs).await;
    }
}

impl Worker {
    /// Waits for a request, then takes all that wait with it, up to the limit; `None` at the end.
    async fn next_batch(&self) -> Option<Vec<Job>> {
        let mut receiver = self.receiver.lock().await;
        let mut jobs = vec![receiver.recv().await?];
        let mut payloads = jobs[0].items.len();
        while payloads < self.max_batch
            && let Ok(job) = receiver.try_recv()
        {
            payloads += job.items.len();
            jobs.push(job);
        }
        Some(jobs)
    }

    async fn commit(&self, mut jobs: Vec<Job>) {
        let batch: Vec<SyncItem> = jobs.iter_mut().flat_map(|job| std::mem::take(&mut job.items)).collect();
        let started = Instant::now();
        let commit = AssertUnwindSafe(self.store.sync(&batch, self.clock.now())).catch_unwind();
        let Ok(committed) = commit.await else { return }; // a bug: the jobs are dropped and answered as such
        self.metrics.commit(batch.len(), started.elapsed().as_secs_f64());
        match committed {
            Ok(verdicts) => answer_each(jobs, verdicts),
            Err(error) => {
                let error = Arc::new(error);
                for job in jobs {
                    job.answer(Err(CommitError::Store(Arc::clone(&error))));
                }
            }
        }
    }
}

/// Gives every request its own verdicts, in order.
fn answer_each(jobs: Vec<Job>, verdicts: Vec<Verdict>) {
    let mut verdicts = verdicts.into_iter();
    for job in jobs {
        let own = verdicts.by_ref().take(job.count).collect();
        job.answer(Ok(own));
    }
}
