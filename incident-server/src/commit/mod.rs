//! Group commit: many requests, one transaction, many answers.
//!
//! Requests that wait while a commit runs form the next transaction; no timer is needed. The work runs in
//! tasks of its own, so a client that goes away never leaves half an effect, and a database that does not answer
//! keeps a task but no client.

mod breaker;
mod error;
#[cfg(test)]
#[path = "../../tests/orders/mod.rs"]
mod orders;
mod queue;
mod worker;

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::timeout,
};

use self::{
    breaker::{Breaker, probe},
    queue::{Job, Room},
    worker::Worker,
};
pub use self::{error::CommitError, queue::QueueLimits};
use crate::{
    Clock,
    limits::{ANSWER_DEADLINE, COMMIT_DEADLINE, QUEUE_DEADLINE},
    metrics::Metrics,
    store::{Store, SyncItem, Verdict},
    supervise::supervised,
};

/// The door to the committing tasks.
pub struct Committer {
    jobs: std::sync::Mutex<Option<mpsc::UnboundedSender<Job>>>,
    room: Room,
    breaker: Arc<Breaker>,
    workers: Mutex<JoinSet<()>>,
    prober: std::sync::Mutex<JoinSet<()>>,
}

impl Committer {
    /// Starts as many workers as the store takes batches at once.
    pub fn start(store: &Arc<dyn Store>, clock: &Clock, metrics: &Arc<Metrics>, limits: QueueLimits) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let receiver = Arc::new(Mutex::new(receiver));
        let breaker = Arc::new(Breaker::default());
        let mut workers = JoinSet::new();
        for _ in 0..store.writers() {
            let worker = Worker {
                receiver: Arc::clone(&receiver),
                store: Arc::clone(store),
                clock: clock.clone(),
                metrics: Arc::clone(metrics),
                breaker: Arc::clone(&breaker),
                max_batch: limits.batch,
            };
            workers.spawn(async move { supervised("commit", || worker.work()).await });
        }
        let mut prober = JoinSet::new();
        let (asked, told) = (Arc::clone(store), Arc::clone(&breaker));
        prober.spawn(supervised("probe", move || probe(Arc::clone(&asked), Arc::clone(&told))));
        Self {
            jobs: std::sync::Mutex::new(Some(sender)),
            room: Room::new(limits.in_flight, metrics),
            breaker,
            workers: Mutex::new(workers),
            prober: std::sync::Mutex::new(prober),
        }
    }

    /// Commits the items of one request and returns a verdict for each, in order; within 9 s less what the request
    /// has `waited` before, whatever the database does.
    ///
    /// What is accepted may be committed even if the caller stops waiting.
    ///
    /// # Errors
    /// [`CommitError`]; nothing of the request is known to have happened then.
    pub async fn commit(&self, items: Vec<SyncItem>, waited: Duration) -> Result<Vec<Verdict>, CommitError> {
        if self.breaker.is_open() {
            return Err(CommitError::Suspended);
        }
        let permit = self.room.take(&items).ok_or(CommitError::QueueFull)?;
        let (job, verdicts) = Job::new(items, permit);
        self.enqueue(job)?;
        let left = ANSWER_DEADLINE.saturating_sub(waited);
        if let Ok(verdicts) = timeout(left, verdicts).await {
            return verdicts.map_err(|_| CommitError::Died)?;
        }
        // In less than a turn and a commit may take, the database is not to blame.
        if left >= QUEUE_DEADLINE + COMMIT_DEADLINE {
            self.breaker.overran();
        }
        Err(CommitError::Late)
    }

    fn enqueue(&self, job: Job) -> Result<(), CommitError> {
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.as_ref().ok_or(CommitError::Draining)?.send(job).map_err(|_| CommitError::Died)
    }

    /// Whether a commit would succeed now. Looks at most once a second, however often it is asked.
    pub(crate) async fn commits(&self) -> bool {
        self.breaker.commits().await
    }

    /// Takes no more requests, commits those that were accepted, then returns.
    pub async fn drain(&self) {
        self.prober.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        while self.workers.lock().await.join_next().await.is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_has_waited_long_before_does_not_open_the_breaker() {
        let (sender, _nobody_works) = mpsc::unbounded_channel();
        let committer = Committer {
            jobs: std::sync::Mutex::new(Some(sender)),
            room: Room::new(1, &Arc::default()),
            breaker: Arc::default(),
            workers: Mutex::default(),
            prober: std::sync::Mutex::default(),
        };
        let waited = ANSWER_DEADLINE.saturating_sub(Duration::from_millis(20));

        let answer = committer.commit(Vec::new(), waited).await;

        assert!(matches!(answer, Err(CommitError::Late)), "{answer:?}");
        assert!(!committer.breaker.is_open());
    }
}
