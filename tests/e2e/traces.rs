//! Traces over OTLP: what a collector is told, of whom nothing, and that one which is away costs nothing.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{Router, body::Bytes, extract::State, routing::post};
use incident_tests::{Answer, Server, Setup, payload, until};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Said},
    trace::v1::Span,
};
use prost::Message;
use reqwest::Method;
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// A receiver of OTLP over HTTP that keeps all that it is sent, in its bytes too.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<Bytes>>>,
    serving: JoinHandle<()>,
}

impl Collector {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::default();
        let keep = async |State(received): State<Arc<Mutex<Vec<Bytes>>>>, body: Bytes| {
            received.lock().unwrap().push(body);
        };
        let routes = Router::new().route("/v1/traces", post(keep)).with_state(Arc::clone(&received));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { address, received, serving }
    }

    fn exports(&self) -> Vec<ExportTraceServiceRequest> {
        let received = self.received.lock().unwrap();
        received.iter().map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap()).collect()
    }

    fn spans(&self) -> Vec<Span> {
        let resources = self.exports().into_iter().flat_map(|export| export.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }

    /// Waits until a span of this name has come.
    async fn until_told(&self, name: &str) -> Span {
        until(name, async || self.spans().into_iter().find(|span| span.name == name)).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn server_that_tells(collector: &str) -> Server {
    let setup = Setup::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", collector);
    setup.variable("OTEL_BSP_SCHEDULE_DELAY", "50").start().await
}

fn said(attributes: &[KeyValue]) -> Vec<(String, String)> {
    let value = |one: &KeyValue| match one.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Said::StringValue(text)) => text.clone(),
        Some(Said::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    let mut said: Vec<_> = attributes.iter().map(|one| (one.key.clone(), value(one))).collect();
    said.sort_unstable();
    said
}

fn expected(method: &str, route: &str, status: &str) -> Vec<(String, String)> {
    let attributes =
        [("http.request.method", method), ("http.response.status_code", status), ("http.route", route)];
    attributes.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

async fn sync(server: &Server, payload: &serde_json::Value) -> Answer {
    let request = server.client("alice").request(Method::POST, "/api/incidents/sync").json(payload);
    let request = request.header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    Answer::to(request.header("tracestate", "vendor=alice-was-here")).await
}

#[tokio::test]
async fn a_sync_is_a_span_of_its_callers_trace_with_route_and_status() {
    let collector = Collector::start().await;
    let server = server_that_tells(&collector.address).await;

    assert_eq!(sync(&server, &payload::report()).await.status, 201);
    let span = collector.until_told("POST /api/incidents/sync").await;

    assert_eq!(said(&span.attributes), expected("POST", "/api/incidents/sync", "201"));
    assert_eq!(span.trace_id, bytes(TRACE));
    assert_eq!(span.parent_span_id, bytes(PARENT));
    assert!(span.trace_state.is_empty() && span.events.is_empty() && span.links.is_empty(), "{span:?}");
    assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    let resource = collector.exports()[0].resource_spans[0].resource.clone().unwrap();
    assert!(said(&resource.attributes).contains(&("service.name".to_owned(), "incident-server".to_owned())));
    let (_, log) = server.stop().await;
    let line = log.lines().find(|line| line.contains(TRACE)).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("answered") && !line.contains("alice"), "{line}");
}

#[tokio::test]
async fn of_an_anonymous_payload_and_of_one_that_may_be_one_there_is_no_span() {
    let collector = Collector::start().await;
    let server = server_that_tells(&collector.address).await;
    let (named, anonymous) = (payload::report(), payload::anonymous(payload::numbered(7)));
    let unreadable = payload::anonymous(json!({ "locationId": "" }));
    let alice = server.client("alice");

    assert_eq!(sync(&server, &anonymous).await.status, 201);
    assert_eq!(sync(&server, &unreadable).await.status, 422);
    assert_eq!(server.stranger().sync(&anonymous).await.status, 401);
    assert_eq!(alice.batch(&[named.clone(), anonymous.clone()]).await.status, 200);
    assert_eq!(alice.batch(&[named.clone(), unreadable]).await.status, 200);
    assert_eq!(alice.batch(&[named.clone(), payload::numbered(9)]).await.status, 200);
    let (_, log) = server.stop().await;

    let spans = collector.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    assert_eq!(said(&spans[0].attributes), expected("POST", "/api/incidents/sync/batch", "200"));
    assert!(!log.contains(TRACE), "{log}");
}

#[tokio::test]
async fn nothing_that_is_sent_names_anybody_or_quotes_anything() {
    let collector = Collector::start().await;
    let server = server_that_tells(&collector.address).await;
    let alice = server.client("alice");
    let report = payload::cancelled(payload::report(), "a false alarm of hers");
    let synced = sync(&server, &report).await;
    let id = synced.body["incident"]["id"].as_str().unwrap().to_owned();
    alice.get(&format!("/api/incidents/{id}")).await;
    alice.get("/api/incidents?locationId=ward-7").await;
    alice.get("/api/incidents/no-such-thing").await;
    server.stranger().get(&format!("/api/incidents/{id}/history")).await;
    let method = Method::from_bytes(b"ALICE").unwrap();
    Answer::to(alice.request(method, "/api/incidents")).await;
    let token = server.token("alice", None);

    collector.until_told("GET /api/incidents/{id}").await;
    server.stop().await;

    assert!(collector.spans().len() > 4, "{:?}", collector.spans());
    let received = collector.received.lock().unwrap().concat();
    let signature = token.rsplit('.').next().unwrap();
    for secret in
        ["alice", "ALICE", "ward-7", "12B", "false alarm", "12.4924", &id, signature, "no-such-thing"]
    {
        let quoted = received.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!quoted, "{secret}: {:?}", collector.spans());
    }
}

#[tokio::test]
async fn what_nobody_asked_for_is_not_sent() {
    let collector = Collector::start().await;
    let quiet = Setup::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address);
    let quiet = quiet.variable("OTEL_SDK_DISABLED", "true").start().await;
    let server = server_that_tells(&collector.address).await;

    assert_eq!(sync(&quiet, &payload::report()).await.status, 201);
    let (_, log) = quiet.stop().await;
    for path in ["/healthz", "/readyz", "/metrics", "/docs/"] {
        assert_eq!(server.get(path).await.status, 200, "{path}");
    }
    server.stop().await;

    assert_eq!(collector.spans(), []);
    assert!(!log.contains(TRACE), "{log}");
}

#[tokio::test]
async fn a_collector_that_is_away_or_never_answers_costs_no_request_anything_nor_the_end() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_one = format!("http://{}", silent.local_addr().unwrap());
    for collector in ["http://127.0.0.1:9", &silent_one] {
        let mut server = server_that_tells(collector).await;
        let alice = server.client("alice");
        let reports: Vec<_> = (0..10).map(payload::numbered).collect();
        let started = Instant::now();
        for _ in 0..10 {
            assert_eq!(alice.batch(&reports).await.status, 200);
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{collector}: {:?}", started.elapsed());

        let stopping = Instant::now();
        server.run().terminate().await;
        assert_eq!(server.run().end().await.code(), Some(0));
        assert!(stopping.elapsed() < Duration::from_secs(10), "{collector}: {:?}", stopping.elapsed());
    }
}

#[tokio::test]
async fn a_collector_with_an_impossible_name_is_told_at_the_start() {
    let setup = Setup::new().variable("OTEL_EXPORTER_OTLP_ENDPOINT", "not a collector");
    let mut run = setup.program().start();
    let status = run.end().await;
    assert!(!status.success());
    assert!(run.log().contains("traces cannot be sent as the variables OTEL_… say"), "{}", run.log());
}
