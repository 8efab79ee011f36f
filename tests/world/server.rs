//! One life of a server: the real router, commit path and store, without sockets.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::HeaderMap,
};
use incident_core::{IdSecret, Timestamp};
use incident_server::{
    App, Parts,
    auth::{TokenRequest, Verifier, mint_hs256},
    commit::QueueLimits,
    rate_limit::RateLimit,
    router,
    store::SqliteStore,
};
use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinHandle, yield_now},
};
use tower_service::Service;

use crate::{
    Broken,
    database::Database,
    disk::{End, image},
    failing, spare,
    store::GatedStore,
    time::{Time, turn_timers},
};

/// After so many turns of all tasks nothing moves any more.
const TURNS: usize = 16;
/// The most that timers are turned at once: a machine that sleeps has no timers meanwhile.
const LONGEST_TURN_MS: i64 = 61_000;

/// What a server answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A request that is at the server.
pub(crate) type Pending = JoinHandle<Answer>;

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The number of the secret of tokens.
    pub(crate) secret: u8,
    pub(crate) rate_limit: &'static str,
    pub(crate) retention: &'static str,
}

/// A server that runs.
pub(crate) struct Server {
    runtime: Runtime,
    router: Router,
    app: App,
    store: Arc<GatedStore>,
    file: PathBuf,
}

impl Server {
    pub(crate) fn start(
        file: &Path,
        setup: &Setup,
        database: &Database,
        time: &Time,
    ) -> Result<Self, Broken> {
        let runtime = Builder::new_current_thread().enable_time().build().map_err(failed)?;
        let store = database.wait_for(SqliteStore::open_file(file)).map_err(failed)?;
        let store = Arc::new(GatedStore { store, file: file.to_owned(), database: database.clone() });
        store.settle_doubts();
        let inside = runtime.enter();
        let app = App::new(Parts {
            store: store.clone(),
            verifier: Verifier::hs256(&secret_bytes(setup.secret), None, None),
            id_secret: id_secret(),
            rate_limit: setup.rate_limit.parse::<RateLimit>().map_err(failed)?,
            payload_rate_limit: "off".parse::<RateLimit>().map_err(failed)?,
            limits: QueueLimits::DEFAULT,
            clock: time.of_server(),
        });
        app.erase_after(setup.retention.parse()?);
        let router = router(app.clone());
        drop(inside);
        Ok(Self { runtime, router, app, store, file: file.to_owned() })
    }

    /// A request arrives.
    pub(crate) fn ask(&mut self, request: Request) -> Pending {
        let answering = self.router.call(request);
        let pending = self.runtime.spawn(async move {
            let (head, body) = answering.await.unwrap_or_else(|never| match never {}).into_parts();
            let body = to_bytes(body, usize::MAX).await.map(|body| body.to_vec()).unwrap_or_default();
            Answer { status: head.status.as_u16(), headers: head.headers, body }
        });
        self.turn(TURNS);
        pending
    }

    /// Lets all tasks go on, so many times.
    pub(crate) fn turn(&self, turns: usize) {
        self.runtime.block_on(async {
            for _ in 0..turns {
                yield_now().await;
            }
        });
    }

    /// Lets all tasks go on until none does.
    pub(crate) fn settle(&self) {
        self.turn(TURNS);
    }

    /// Turns the timers.
    pub(crate) fn pass(&self, ms: i64) {
        turn_timers(ms.min(LONGEST_TURN_MS));
        self.settle();
    }

    /// The answer to a request that has one.
    pub(crate) fn answer(&self, pending: Pending) -> Option<Answer> {
        self.runtime.block_on(pending).ok()
    }

    /// Ends as it is told to: what was accepted is answered, the file is closed.
    pub(crate) fn stop(self) {
        let app = self.app.clone();
        let draining = self.runtime.spawn(async move { app.drain().await });
        self.settle();
        while !draining.is_finished() {
            self.pass(500);
        }
        if spare::is_open(&self.file) {
            // It has not ended in time, and when its connections are closed is not chance.
            failing::set(&self.file, None);
        }
    }

    /// Whether transactions that ended in an error are there.
    pub(crate) fn settle_doubts(&self) {
        self.store.settle_doubts();
    }

    /// Ends in the midst of whatever it does; `to` is what is left of its file.
    pub(crate) fn end(self, to: &Path, end: End) -> io::Result<()> {
        image(&self.file, to, end)?;
        spare::is_over(&self.file);
        let Self { runtime, router, app, store, .. } = self;
        drop((router, app, store));
        runtime.shutdown_background();
        Ok(())
    }
}

/// The secret between keys and ids, the same for every life of the server.
pub(crate) fn id_secret() -> IdSecret {
    IdSecret::new(&[7; 32]).expect("32 bytes")
}

/// A request with a token or without.
pub(crate) fn request(method: &str, path: &str, token: Option<&str>, body: Body) -> Request {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    request.body(body).expect("a request of our own")
}

/// A token under the secret of this number.
pub(crate) fn token(sub: &str, scope: Option<&str>, secret: u8, now: Timestamp) -> String {
    let ttl = Duration::from_secs(3600);
    mint_hs256(&secret_bytes(secret), TokenRequest { sub, scope, issuer: None, audience: None, ttl }, now)
}

fn secret_bytes(number: u8) -> Vec<u8> {
    vec![b'a' + number; 32]
}

fn failed(error: impl std::fmt::Display) -> Broken {
    error.to_string()
}
