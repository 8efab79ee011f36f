//! What is done around every request: a name, a count, a line in the log, and an answer even to a bug.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use incident_core::Problem;
use tracing::{Instrument, field};
use uuid::Uuid;

use crate::{
    App,
    problem::{Marked, ProblemDetails},
    traces::Traced,
    uncached,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request, under which the log tells of it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Names the request, answers it, counts it and logs it. The log never holds a path's values, a header, a
/// token, a reporter or an address: for an anonymous report nothing may lead back to a person.
pub(crate) async fn observe(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let id: Arc<str> = Uuid::now_v7().to_string().into();
    request.extensions_mut().insert(RequestId(Arc::clone(&id)));
    let is_below_api = uncached::is_below_api(request.uri());
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    // Of the highest level, so that every line has the id that is ever written, the audit's among them.
    let span = tracing::error_span!("request", id = &*id, route, trace = field::Empty);
    let traced = is_below_api.then(|| Traced::begin(&mut request)).flatten();
    let answered = AssertUnwindSafe(next.run(request).instrument(span.clone())).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| ProblemDetails::internal().into_response());
    let mut response = app.budget().charge(response);
    let marked = response.extensions().get::<Marked>().copied();
    if let Some(Marked { problem: Problem::Internal, .. }) = marked {
        response = ProblemDetails::internal().of_request(&id).into_response();
    }
    let status = response.status().as_u16();
    app.metrics().request(&route, status, started.elapsed().as_secs_f64());
    if let Some(Marked { problem, .. }) = marked {
        app.metrics().refusal(problem);
    }
    if let Some(trace) = traced.and_then(|traced| traced.end(&route, status, app.now(), started.elapsed())) {
        span.record("trace", trace);
    }
    match marked {
        Some(Marked { counted: true, .. }) => span.in_scope(|| log_counted(&app, status, started)),
        _ => span.in_scope(|| log(status, started)),
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if is_below_api {
        uncached::say_so(&mut response);
    }
    response
}

/// One line now and then, of the first of many; all of them for those who want to know everything.
fn log_counted(app: &App, status: u16, started: Instant) {
    let ms = milliseconds(started);
    if let Some(others) = app.refusals().count(app.now().unix_ms()) {
        tracing::info!(status, ms, others, "refused; others were counted since the last such line");
    } else {
        tracing::debug!(status, ms, "answered");
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn log(status: u16, started: Instant) {
    let ms = milliseconds(started);
    match status {
        500.. => tracing::error!(status, ms, "answered"),
        400.. => tracing::info!(status, ms, "answered"),
        _ => tracing::debug!(status, ms, "answered"),
    }
}
