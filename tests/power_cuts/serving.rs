//! A server that runs in this process.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderValue, Method, header},
};
use incident_core::{IdSecret, IdempotencyKey, IncidentId, Timestamp};
use incident_server::{
    App, Clock, Parts,
    auth::{TokenRequest, Verifier, mint_hs256},
    commit::QueueLimits,
    rate_limit::RateLimit,
    router,
    store::{SqliteStore, Store, StoreError},
};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use crate::{Failure, record::Event, recorder, server::name, watched_store::WatchedStore};

const SECRET: [u8; 32] = [b'a'; 32];
/// Tokens are valid for longer than any recording.
const TTL: Duration = Duration::from_secs(400 * 86_400);
/// Nothing is erased by it before it is this old.
const RETENTION: &str = "10m";

/// A running server.
pub(crate) struct Serving {
    pub(crate) store: Arc<WatchedStore>,
    runtime: Runtime,
    router: Router,
    app: App,
    now_ms: Arc<AtomicI64>,
}

impl Serving {
    /// On a SQLite file.
    pub(crate) fn start(file: &Path, now_ms: i64) -> Result<Self, Failure> {
        Self::on(SqliteStore::open_file(file), now_ms)
    }

    /// On a store that is opened.
    pub(crate) fn on<S: Store, E: Into<Failure>>(
        opening: impl Future<Output = Result<S, E>>,
        now_ms: i64,
    ) -> Result<Self, Failure> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let now_ms = Arc::new(AtomicI64::new(now_ms));
        let store = runtime.block_on(opening).map_err(Into::into)?;
        let (store, app, router) = runtime.block_on(async { begin(store, &now_ms) })?;
        Ok(Self { store, runtime, router, app, now_ms })
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn wait_for<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Empties the log of what was erased.
    pub(crate) fn forget(&self) -> Result<(), StoreError> {
        self.wait_for(self.store.forget())
    }

    /// Ends as it is told to, and starts again.
    pub(crate) fn start_again(&mut self, file: &Path) -> Result<(), Failure> {
        self.runtime.block_on(self.app.drain());
        let store = self.runtime.block_on(SqliteStore::open_file(file))?;
        (self.store, self.app, self.router) = self.runtime.block_on(async { begin(store, &self.now_ms) })?;
        Ok(())
    }

    /// Asks all at once; each request is about these incidents. Each is acknowledged when its answer is there, and a
    /// sync must have been there before. Says how many were answered with success.
    pub(crate) fn ask_all(&mut self, requests: Vec<(Vec<IncidentId>, Request)>) -> Result<u64, Failure> {
        let mut tasks = Vec::new();
        for (ids, request) in requests {
            let (answering, store) = (self.router.call(request), self.store.clone());
            tasks.push(self.runtime.spawn(async move {
                let (head, body) = answering.await.unwrap_or_else(|never| match never {}).into_parts();
                let body = to_bytes(body, usize::MAX).await?;
                if is_success(head.status.as_u16(), &body) {
                    acknowledged(&store, &ids)?;
                    return Ok(ids.len() as u64);
                }
                let is_expected = matches!(head.status.as_u16(), 404 | 409);
                let answer = || format!("{}: {}", head.status, String::from_utf8_lossy(&body));
                if is_expected { Ok(0) } else { Err::<u64, Failure>(answer().into()) }
            }));
        }
        let answers = tasks.into_iter().map(|task| self.runtime.block_on(task)?);
        answers.sum()
    }
}

/// A single result is its answer; a batch has one for each.
fn is_success(status: u16, body: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let each = |result: &Value| matches!(result["httpStatus"].as_u64(), Some(200 | 201));
    matches!(status, 200 | 201) && said["results"].as_array().is_none_or(|results| results.iter().all(each))
}

fn acknowledged(store: &WatchedStore, ids: &[IncidentId]) -> Result<(), Failure> {
    for id in ids {
        if !store.has_synced(*id) {
            return Err(format!("{} was answered before it was synced", name(*id)).into());
        }
        recorder::note(Event::Acknowledged(name(*id)));
    }
    Ok(())
}

fn begin(store: impl Store, now_ms: &Arc<AtomicI64>) -> Result<(Arc<WatchedStore>, App, Router), Failure> {
    let store = Arc::new(WatchedStore::new(store));
    let now_ms = now_ms.clone();
    let now = move || Timestamp::from_unix_ms(now_ms.load(Ordering::Relaxed)).unwrap_or(Timestamp::MIN);
    let app = App::new(Parts {
        store: store.clone(),
        verifier: Verifier::hs256(&SECRET, None, None),
        id_secret: id_secret(),
        rate_limit: "off".parse::<RateLimit>()?,
        payload_rate_limit: "off".parse::<RateLimit>()?,
        limits: QueueLimits::DEFAULT,
        clock: Clock::new(now),
    });
    app.erase_after(RETENTION.parse()?);
    let router = router(app.clone());
    Ok((store, app, router))
}

/// The secret between keys and ids.
pub(crate) fn id_secret() -> IdSecret {
    IdSecret::new(&[7; 32]).expect("32 bytes")
}

/// A request of somebody who may do what they ask for.
pub(crate) fn request(method: Method, path: &str, sub: &str, now_ms: i64, body: Body) -> Request {
    let scope = (method == Method::DELETE).then_some("incidents:erase");
    let asked = TokenRequest { sub, scope, issuer: None, audience: None, ttl: TTL };
    let now = Timestamp::from_unix_ms(now_ms).unwrap_or(Timestamp::MIN);
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {}", mint_hs256(&SECRET, asked, now)))
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .expect("a request of our own")
}

/// The same, with the key of its report.
pub(crate) fn with_key(mut request: Request, key: IdempotencyKey) -> Request {
    let key = HeaderValue::from_str(&key.to_string()).expect("hexadecimal digits");
    request.headers_mut().insert("idempotency-key", key);
    request
}
