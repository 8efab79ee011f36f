//! A server over a store, on a port of its own.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use incident_core::{IdSecret, Timestamp};
use incident_server::{
    App, Clock, Parts,
    auth::{TokenRequest, Verifier, mint_hs256},
    commit::QueueLimits,
    rate_limit::RateLimit,
    routes, serve,
    store::Store,
};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{sync::oneshot, task::JoinHandle};

const SECRET: [u8; 32] = [3; 32];

/// A running server.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(store: Arc<dyn Store>) -> Self {
        let app = App::new(Parts {
            store,
            verifier: Verifier::hs256(&SECRET, None, None),
            id_secret: IdSecret::new(&[7; 32]).expect("a secret"),
            rate_limit: "off".parse::<RateLimit>().expect("no limit"),
            payload_rate_limit: "off".parse::<RateLimit>().expect("no limit"),
            limits: QueueLimits::DEFAULT,
            clock: Clock::system(),
        });
        let listener = serve::bind("127.0.0.1:0".parse().expect("an address")).await.expect("a free port");
        let address = listener.local_addr().expect("a port");
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = routes::standalone(app.clone());
        let running = tokio::spawn(serve::serve_app(listener, routes, app, async { drop(stopped.await) }));
        Self { address, client: Client::new(), stop: Some(stop), running }
    }

    /// As after SIGTERM; returns once everything is answered.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        self.running.await.expect("a clean end");
    }

    pub(crate) fn get(&self, path: &str, token: &str) -> RequestBuilder {
        self.client.get(format!("http://{}{path}", self.address)).bearer_auth(token)
    }

    /// Reports an incident of alice; the answer's incident.
    pub(crate) async fn report(&self, ms_since_morning: i64, reason: Option<&str>) -> Value {
        let answer = self.send("alice", ms_since_morning, reason).await;
        json_of(answer.error_for_status().expect("success")).await["incident"].take()
    }

    /// Reports an incident of alice, come what may.
    pub(crate) async fn try_report(&self, ms_since_morning: i64) -> Response {
        self.try_report_of("alice", ms_since_morning).await
    }

    /// Reports an incident of anybody, come what may.
    pub(crate) async fn try_report_of(&self, sub: &str, ms_since_morning: i64) -> Response {
        self.send(sub, ms_since_morning, None).await
    }

    async fn send(&self, sub: &str, ms_since_morning: i64, reason: Option<&str>) -> Response {
        let payload = json!({
            "locationId": "ward-7",
            "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
            "isAnonymous": false,
            "createdAt": super::report::moment(ms_since_morning),
            "cancellationReason": reason,
        });
        let address = format!("http://{}/api/incidents/sync", self.address);
        let request = self.client.post(address).bearer_auth(token(sub, None));
        let request = request.header("Content-Type", "application/json").body(payload.to_string());
        request.send().await.expect("an answer")
    }
}

pub(crate) async fn json_of(answer: Response) -> Value {
    serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
}

/// A token for an hour.
pub(crate) fn token(sub: &str, scope: Option<&str>) -> String {
    token_until(sub, scope, Clock::system().now(), Duration::from_secs(3600))
}

/// A token minted at a moment of choice.
pub(crate) fn token_until(sub: &str, scope: Option<&str>, now: Timestamp, ttl: Duration) -> String {
    mint_hs256(&SECRET, TokenRequest { sub, scope, issuer: None, audience: None, ttl }, now)
}

/// A token that may read all.
pub(crate) fn reader() -> String {
    token("responder", Some("incidents:read"))
}
