//! Spans to a collector, by OpenTelemetry's own crates. A thread sends them in batches; who answers a request never waits.

use std::{
    env,
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use incident_core::Timestamp;
use opentelemetry::{
    Context, KeyValue,
    propagation::{Extractor, TextMapPropagator},
    trace::{Span, SpanBuilder, SpanKind, Status, TracerProvider},
};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tokio::{task::spawn_blocking, time::timeout};

use super::settings::TRACEPARENT;
use crate::limits::CLOSE_DEADLINE;

const NAME: &str = "incident-server";

static EXPORT: OnceLock<Export> = OnceLock::new();

struct Export {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Begins to send traces, if the environment names a collector. To be called before there is a runtime.
///
/// # Errors
/// A sentence for people: the collector cannot be used as it is named.
pub fn start() -> Result<(), String> {
    if !super::settings::are_asked_for(|name| env::var(name).ok()) {
        return Ok(());
    }
    let exporter = SpanExporter::builder().with_http().build().map_err(|error| {
        format!("traces cannot be sent as the variables OTEL_… say: {error}; correct them, or set OTEL_SDK_DISABLED=true")
    })?;
    let resource = Resource::builder();
    let is_named = env::var_os("OTEL_SERVICE_NAME").is_some_and(|name| !name.is_empty());
    let resource = if is_named { resource } else { resource.with_service_name(NAME) };
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let resource = resource.with_attribute(version).build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build();
    let tracer = provider.tracer(NAME);
    let _ = EXPORT.set(Export { provider, tracer }); // a second start changes nothing
    Ok(())
}

pub(super) fn is_on() -> bool {
    EXPORT.get().is_some()
}

pub(super) fn send(
    parent: Option<&str>,
    method: &'static str,
    route: &str,
    status: u16,
    now: Timestamp,
    took: Duration,
) -> Option<String> {
    let Export { tracer, .. } = EXPORT.get()?;
    let end = moment(now);
    let attributes = [
        KeyValue::new("http.request.method", method),
        KeyValue::new("http.route", route.to_owned()),
        KeyValue::new("http.response.status_code", i64::from(status)),
    ];
    let span = SpanBuilder::from_name(format!("{method} {route}"))
        .with_kind(SpanKind::Server)
        .with_start_time(end.checked_sub(took).unwrap_or(end))
        .with_attributes(attributes);
    let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &Parent(parent));
    let mut span = span.start_with_context(tracer, &parent);
    if status >= 500 {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
    Some(span.span_context().trace_id().to_string())
}

/// Sends what is left, as long as the database has to close: a collector that is away delays nothing.
pub(crate) async fn end() {
    let Some(Export { provider, .. }) = EXPORT.get() else { return };
    let last = spawn_blocking(|| provider.shutdown_with_timeout(CLOSE_DEADLINE));
    if !matches!(timeout(CLOSE_DEADLINE, last).await, Ok(Ok(Ok(())))) {
        tracing::warn!("the last traces could not be sent");
    }
}

fn moment(now: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(now.unix_ms().unsigned_abs())
}

/// The one header that is read.
struct Parent<'h>(Option<&'h str>);

impl Extractor for Parent<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.filter(|_| name == TRACEPARENT)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT]
    }
}
