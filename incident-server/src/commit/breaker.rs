//! Whether the database commits: one circuit breaker for all syncs and for `/readyz`.
//!
//! After commits that failed in a row it is open: syncs are answered at once and wait for nothing. While it is open,
//! and whenever somebody asks whether the server is ready, one probe at a time goes the way of a commit; the first
//! that arrives closes it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU32, Ordering},
};

use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    limits::{COMMIT_DEADLINE, FAILURES_THAT_SUSPEND, PROBE_HOLDS, PROBE_PAUSE},
    store::Store,
};

#[derive(Default)]
pub(super) struct Breaker {
    /// Commits and probes that failed one after another since the last one that did not.
    failures: AtomicU32,
    /// When the last of them had failed.
    failed_at: Mutex<Option<Instant>>,
    /// A probe is wanted.
    asked: Notify,
    /// The last one that ended.
    last: watch::Sender<Option<Probe>>,
}

#[derive(Clone, Copy)]
struct Probe {
    ended: Instant,
    committed: bool,
}

impl Breaker {
    pub(super) fn is_open(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= FAILURES_THAT_SUSPEND
    }

    /// A commit or a probe arrived.
    pub(super) fn committed(&self) {
        let before = self.failures.load(Ordering::Relaxed);
        if before != 0 && self.failures.swap(0, Ordering::Relaxed) >= FAILURES_THAT_SUSPEND {
            tracing::info!("the database commits again");
        }
    }

    /// A commit or a probe that began then has failed. What failed side by side, as when a server restarts, counts once.
    pub(super) fn failed(&self, began: Instant) {
        let mut failed_at = self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if failed_at.is_none_or(|before| before <= began) {
            *failed_at = Some(Instant::now());
            self.add(1);
        }
    }

    /// A commit still runs after its time: the database does not even say no.
    pub(super) fn overran(&self) {
        self.add(FAILURES_THAT_SUSPEND);
    }

    fn add(&self, failures: u32) {
        let add = |before: u32| Some(before.saturating_add(failures));
        let before =
            self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).unwrap_or_else(|same| same);
        if before < FAILURES_THAT_SUSPEND && self.is_open() {
            tracing::error!("the database does not commit; syncs are answered 503 at once until it does");
            self.asked.notify_one();
        }
    }

    /// Whether a commit would succeed now.
    pub(super) async fn commits(&self) -> bool {
        if self.is_open() {
            return false;
        }
        let mut last = self.last.subscribe();
        if last.borrow().is_some_and(|probe| probe.committed && probe.ended.elapsed() < PROBE_HOLDS) {
            return true;
        }
        self.asked.notify_one();
        if timeout(COMMIT_DEADLINE, last.changed()).await.is_err() {
            self.overran();
            return false;
        }
        last.borrow().is_some_and(|probe| probe.committed)
    }

    fn ended(&self, began: Instant, committed: bool) {
        if committed {
            self.committed();
        } else {
            self.failed(began);
        }
        self.last.send_replace(Some(Probe { ended: Instant::now(), committed }));
    }
}

/// Probes whenever it is asked to, and while the breaker is open, for ever. A probe is waited for to its end: one that
/// was dropped would leave its session behind in the database.
pub(super) async fn probe(store: Arc<dyn Store>, breaker: Arc<Breaker>) {
    loop {
        breaker.asked.notified().await;
        loop {
            let began = Instant::now();
            breaker.ended(began, store.ready().await.is_ok());
            if !breaker.is_open() {
                break;
            }
            sleep(PROBE_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn it_opens_after_failures_in_a_row_and_closes_with_the_first_commit() {
        let breaker = Breaker::default();
        breaker.failed(Instant::now());
        breaker.committed();
        breaker.failed(Instant::now());
        assert!(!breaker.is_open());
        breaker.failed(Instant::now());
        assert!(breaker.is_open());
        breaker.committed();
        assert!(!breaker.is_open());
    }

    #[test]
    fn commits_that_fail_side_by_side_are_one_failure() {
        let (breaker, began) = (Breaker::default(), Instant::now());
        breaker.failed(began);
        breaker.failed(began - Duration::from_millis(1));
        assert!(!breaker.is_open());
    }

    #[test]
    fn one_commit_that_does_not_end_opens_it() {
        let breaker = Breaker::default();
        breaker.overran();
        assert!(breaker.is_open());
    }

    #[test]
    fn a_probe_is_asked_for_once_when_it_opens() {
        let breaker = Breaker::default();
        let mut asked = [false; 3];
        for asked in &mut asked {
            breaker.failed(Instant::now());
            *asked = breaker.asked.notified().now_or_never().is_some();
        }
        assert_eq!(asked, [false, true, false]);
    }

    /// What is answered to somebody who asks once this probe has ended, and whether another probe was asked for.
    async fn asked_after(last: Probe) -> (bool, bool) {
        let breaker = Arc::new(Breaker::default());
        breaker.last.send_replace(Some(last));
        let asking = Arc::clone(&breaker);
        let answer = tokio::spawn(async move { asking.commits().await });
        let is_asked = timeout(Duration::from_millis(200), breaker.asked.notified()).await.is_ok();
        if is_asked {
            breaker.ended(Instant::now(), last.committed);
        }
        (answer.await.unwrap(), is_asked)
    }

    #[tokio::test]
    async fn a_probe_that_committed_is_as_good_as_a_new_one_for_a_second() {
        let (now, before) = (Instant::now(), Instant::now().checked_sub(PROBE_HOLDS).unwrap());
        assert_eq!(asked_after(Probe { ended: now, committed: true }).await, (true, false));
        assert_eq!(asked_after(Probe { ended: before, committed: true }).await, (true, true));
        assert_eq!(asked_after(Probe { ended: Instant::now(), committed: false }).await, (false, true));
    }

    #[test]
    fn the_log_says_once_that_it_opens_and_once_that_it_closes() {
        let log = tempfile::NamedTempFile::new().unwrap();
        let subscriber = tracing_subscriber::fmt().with_writer(Arc::new(log.reopen().unwrap())).finish();
        tracing::subscriber::with_default(subscriber, || {
            let breaker = Breaker::default();
            breaker.failed(Instant::now());
            breaker.committed();
            for _ in 0..3 {
                breaker.failed(Instant::now());
            }
            breaker.committed();
            breaker.committed();
        });
        let log = std::fs::read_to_string(log).unwrap();
        let lines: Vec<_> = log.lines().map(|line| line.contains("commits again")).collect();
        assert_eq!(lines, [false, true], "{log}");
    }
}
