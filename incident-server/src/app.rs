//! Everything that a request needs, in one cheap handle.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use incident_core::{IdSecret, Problem, Timestamp};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, interval_at, sleep, timeout},
};

use crate::{
    Clock,
    auth::Verifier,
    budget::Budget,
    commit::{Committer, QueueLimits},
    limits::{CLOSE_DEADLINE, FORGET_EVERY, RETENTION_PAUSE},
    metrics::Metrics,
    problem::ProblemDetails,
    rate_limit::{RateLimit, RateLimiting},
    refusals::Refusals,
    retention::Retention,
    store::Store,
    supervise::supervised,
};

const REFRESH_EVERY: Duration = Duration::from_secs(60);

/// What an [`App`] is made of.
pub struct Parts {
    /// Where incidents live.
    pub store: Arc<dyn Store>,
    /// Who may ask.
    pub verifier: Verifier,
    /// Between idempotency keys and incident ids.
    pub id_secret: IdSecret,
    /// How often one identity may ask.
    pub rate_limit: RateLimit,
    /// How many payloads one identity may send.
    pub payload_rate_limit: RateLimit,
    /// How much the commit queue takes.
    pub limits: QueueLimits,
    /// What time it is.
    pub clock: Clock,
}

/// The sync service: state shared by all requests.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    verifier: Verifier,
    id_secret: IdSecret,
    rate_limiting: RateLimiting,
    payload_limiting: RateLimiting,
    committer: Committer,
    metrics: Arc<Metrics>,
    clock: Clock,
    draining: watch::Sender<bool>,
    stopping: AtomicBool,
    /// Those that use the store; they end before it is closed.
    erasing: std::sync::Mutex<JoinSet<()>>,
    refusals: Refusals,
    budget: Budget,
}

impl App {
    /// Puts the parts together and starts the committing tasks; needs a Tokio runtime.
    pub fn new(parts: Parts) -> Self {
        let metrics = Arc::new(Metrics::default());
        let committer = Committer::start(&parts.store, &parts.clock, &metrics, parts.limits);
        let app = Self(Arc::new(Inner {
            store: parts.store,
            verifier: parts.verifier,
            id_secret: parts.id_secret,
            rate_limiting: RateLimiting::new(parts.rate_limit),
            payload_limiting: RateLimiting::new(parts.payload_rate_limit),
            committer,
            metrics,
            clock: parts.clock,
            draining: watch::Sender::new(false),
            stopping: AtomicBool::new(false),
            erasing: std::sync::Mutex::default(),
            refusals: Refusals::new(),
            budget: Budget::new(),
        }));
        let weak = Arc::downgrade(&app.0);
        tokio::spawn(supervised("idle identities and keys", move || forget_and_refresh(weak.clone())));
        let weak = Arc::downgrade(&app.0);
        app.erasing().spawn(supervised("forget", move || forget_erased(weak.clone())));
        app
    }

    /// From now on erases incidents that were received longer ago.
    pub fn erase_after(&self, retention: Retention) {
        let weak = Arc::downgrade(&self.0);
        self.erasing().spawn(supervised("retention", move || retain(weak.clone(), retention)));
    }

    fn erasing(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.0.erasing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers that from now on there is no commit; commits what was accepted; closes the store. Ends within 2 s: what
    /// is still in the queue then has been answered, and a database that does not answer is left.
    pub async fn drain(&self) {
        self.announce_drain();
        let mut erasing = std::mem::take(&mut *self.erasing());
        let end = async {
            erasing.shutdown().await;
            self.0.committer.drain().await;
            self.0.store.close().await;
        };
        if timeout(CLOSE_DEADLINE, end).await.is_err() {
            tracing::warn!("the database did not answer to the end; what was acknowledged is there");
        }
    }

    /// Lets `/readyz` say that the server is stopping, so that nobody is sent here any more; all else goes on.
    pub fn announce_stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Lets `/readyz` say that the server is stopping, and ends the streams.
    pub fn announce_drain(&self) {
        self.announce_stop();
        self.0.draining.send_replace(true);
    }

    /// Becomes true when the server is stopping.
    pub(crate) fn draining(&self) -> watch::Receiver<bool> {
        self.0.draining.subscribe()
    }

    /// Whether a commit would succeed now. Looks at most once a second, however often it is asked, and anybody may ask.
    pub(crate) async fn ready(&self) -> Result<(), ProblemDetails> {
        let not_ready = |why| Err(ProblemDetails::new(Problem::Overloaded, why).for_a_stranger());
        if self.0.stopping.load(Ordering::Relaxed) {
            not_ready("the server is stopping")
        } else if self.0.committer.commits().await {
            Ok(())
        } else {
            not_ready("the database does not commit; the log says why")
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    pub(crate) fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    pub(crate) fn id_secret(&self) -> &IdSecret {
        &self.0.id_secret
    }

    pub(crate) fn rate_limiting(&self) -> &RateLimiting {
        &self.0.rate_limiting
    }

    pub(crate) fn committer(&self) -> &Committer {
        &self.0.committer
    }

    pub(crate) fn payload_limiting(&self) -> &RateLimiting {
        &self.0.payload_limiting
    }

    pub(crate) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }
}

/// Forgets idle identities and asks for new keys, as long as the app lives; at the start both are fresh.
async fn forget_and_refresh(app: std::sync::Weak<Inner>) {
    let mut every = interval_at(Instant::now() + REFRESH_EVERY, REFRESH_EVERY);
    loop {
        every.tick().await;
        let Some(app) = app.upgrade() else { return };
        app.rate_limiting.forget_idle();
        app.payload_limiting.forget_idle();
        app.verifier.forget_idle();
        app.verifier.refresh().await;
    }
}

/// Lets nothing of what was erased stand in the write-ahead log for long.
async fn forget_erased(app: std::sync::Weak<Inner>) {
    let mut every = interval_at(Instant::now() + FORGET_EVERY, FORGET_EVERY);
    loop {
        every.tick().await;
        let Some(app) = app.upgrade() else { return };
        if let Err(error) = app.store.forget().await {
            tracing::warn!(%error, "the write-ahead log still holds what was erased; tried again");
        }
    }
}

/// Erases what is too old, a little at a time.
async fn retain(app: std::sync::Weak<Inner>, retention: Retention) {
    let Some(mut eraser) = retention.begin() else { return };
    loop {
        let pause = {
            let Some(app) = app.upgrade() else { return };
            match eraser.step(&*app.store, app.clock.now()).await {
                Ok(true) => RETENTION_PAUSE,
                Ok(false) => eraser.rest(),
                Err(error) => {
                    tracing::warn!(%error, "what is too old could not be erased; tried again");
                    eraser.rest()
                }
            }
        };
        sleep(pause).await;
    }
}
