//! Traces over OTLP, off unless the standard variables name a collector: one span a request below `/api`.
//!
//! A span says the route's pattern, the method, the status and how long it took, and belongs to the trace that the request's
//! `traceparent` names (W3C Trace Context). It has no part of a payload, a path or a token. What a proxy notes under the same
//! trace may name a person, so there is **none for an anonymous payload**, nor for one that may have been one: a request with
//! payloads has a span only after each of them was read and is not anonymous.
//!
//! `tracing-opentelemetry` would send every span and line of the log as it comes, before anybody has read the payload.

#[cfg(feature = "otlp")]
mod exporter;
#[cfg(not(feature = "otlp"))]
#[path = "without.rs"]
mod exporter;
mod settings;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::Request,
    http::{HeaderValue, Method},
};
use incident_core::{SyncPayload, Timestamp};

use settings::TRACEPARENT;

pub(crate) use exporter::end;
pub use exporter::start;

/// A request that may become a span.
pub(crate) struct Traced {
    parent: Option<HeaderValue>,
    method: Method,
    payloads: Payloads,
}

/// What is known of the payloads of a request; shared with who reads them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Payloads(Arc<AtomicBool>);

impl Payloads {
    /// All of them have been read.
    pub(crate) fn are_read<'p>(&self, mut all: impl Iterator<Item = &'p SyncPayload>) {
        self.0.store(!all.any(|payload| payload.facts.is_anonymous), Ordering::Relaxed);
    }

    fn are_named(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Traced {
    /// Remembers what a span needs, if spans are sent at all.
    pub(crate) fn begin(request: &mut Request) -> Option<Self> {
        if !exporter::is_on() {
            return None;
        }
        let traced = Self {
            parent: request.headers().get(TRACEPARENT).cloned(),
            method: request.method().clone(),
            payloads: Payloads::default(),
        };
        request.extensions_mut().insert(traced.payloads.clone());
        Some(traced)
    }

    /// Sends the span, if there may be one; returns the id of its trace.
    pub(crate) fn end(self, route: &str, status: u16, now: Timestamp, took: Duration) -> Option<String> {
        if takes_payloads(route) && !self.payloads.are_named() {
            return None;
        }
        let parent = self.parent.as_ref().and_then(|parent| parent.to_str().ok());
        exporter::send(parent, known(&self.method), route, status, now, took)
    }
}

fn takes_payloads(route: &str) -> bool {
    route.starts_with("/api/incidents/sync")
}

/// A method may be any word; one that nobody knows is the sender's own text.
fn known(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT"];
    known.into_iter().find(|known| method.as_str() == *known).unwrap_or("_OTHER")
}

#[cfg(test)]
mod tests {
    use utoipa::openapi::PathItem;

    use super::*;

    #[test]
    fn a_method_that_nobody_knows_is_not_told() {
        assert_eq!(known(&Method::POST), "POST");
        assert_eq!(known(&Method::from_bytes(b"ALICE").unwrap()), "_OTHER");
    }

    #[test]
    fn every_route_that_takes_payloads_is_known() {
        let paths = crate::routes::document().paths.paths;
        let takes_a_body =
            |item: &PathItem| item.post.as_ref().is_some_and(|post| post.request_body.is_some());

        for (path, item) in &paths {
            assert_eq!(takes_payloads(path), takes_a_body(item), "{path}");
        }
    }
}
