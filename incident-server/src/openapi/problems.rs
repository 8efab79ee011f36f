//! Every problem that a route may answer with, each with an example made by the code that answers.

use std::collections::BTreeMap;

use incident_core::{
    Code, ConflictError, Field, MAX_BATCH_BYTES, MAX_PAYLOAD_BYTES, Pointer, Problem, Violation, decode_batch,
};
use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder,
    },
};

use crate::{
    extract::{ChangesParameters, ListParameters, OfReporter},
    problem::{self, ProblemDetails},
};

/// The problems of each route; those that look otherwise there than elsewhere come with their example.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($problem:ident $(($example:expr))?)*;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;
            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    responses(vec![$(problems!(@example $problem $($example)?)),*])
                }
            }
        )*
    };
    (@example $problem:ident) => { example(Problem::$problem) };
    (@example $problem:ident $example:expr) => { $example };
}

problems! {
    /// Of a sync.
    SyncProblems: MalformedJson Unauthorized MethodNotAllowed RequestTimeout IdempotencyConflict
        PayloadTooLarge(ProblemDetails::too_many_bytes(MAX_PAYLOAD_BYTES)) UnsupportedMediaType
        ValidationFailed(blank_location()) IdempotencyKeyMismatch RateLimited Internal Overloaded;
    /// Of a batch's envelope.
    BatchProblems: MalformedJson Unauthorized MethodNotAllowed RequestTimeout
        PayloadTooLarge(ProblemDetails::too_many_bytes(MAX_BATCH_BYTES)) UnsupportedMediaType
        ValidationFailed(refusal(decode_batch(b"{}"))) RateLimited Internal Overloaded;
    /// Of reading one incident.
    IncidentProblems: Unauthorized NotFound MethodNotAllowed Gone RateLimited Internal Overloaded;
    /// Of a list.
    ListProblems: Unauthorized MethodNotAllowed ValidationFailed(refusal(ListParameters::read("limit=0"))) RateLimited
        Internal Overloaded;
    /// Of the changes.
    ChangesProblems: Unauthorized Forbidden MethodNotAllowed CursorGone
        ValidationFailed(refusal(ChangesParameters::read("after=x", None))) RateLimited Internal Overloaded;
    /// Of erasing one incident.
    ErasureProblems: Unauthorized Forbidden NotFound MethodNotAllowed RateLimited Internal Overloaded;
    /// Of erasing those of one reporter.
    ErasureOfReporterProblems: Unauthorized Forbidden MethodNotAllowed ValidationFailed(refusal(OfReporter::read("")))
        RateLimited Internal Overloaded;
    /// Of a problem's page.
    PageProblems: NotFound MethodNotAllowed;
    /// Of health and metrics.
    OperationsProblems: MethodNotAllowed;
    /// Of readiness.
    ReadinessProblems: MethodNotAllowed Overloaded;
}

fn responses(examples: Vec<ProblemDetails>) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<ProblemDetails>>::new();
    for example in examples {
        by_status.entry(example.problem().status()).or_default().push(example);
    }
    by_status.into_iter().map(|(status, examples)| (status.to_string(), response(&examples).into())).collect()
}

fn response(shown: &[ProblemDetails]) -> Response {
    let titles: Vec<_> = shown.iter().map(|example| example.problem().title()).collect();
    let examples = shown.iter().map(|example| {
        let value = serde_json::to_value(example).unwrap_or_default();
        let problem = example.problem();
        (problem.as_str(), ExampleBuilder::new().summary(problem.title()).value(Some(value)).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.map(|(name, example)| (name, RefOr::T(example))))
        .build();
    let response =
        ResponseBuilder::new().description(titles.join("; or: ")).content(problem::MEDIA_TYPE, content);
    headers(shown[0].problem())
        .iter()
        .fold(response, |response, (name, about)| {
            response.header(*name, HeaderBuilder::new().description(Some(*about)).build())
        })
        .build()
}

/// What a problem looks like, where it looks the same on every route.
fn example(problem: Problem) -> ProblemDetails {
    match problem {
        Problem::IdempotencyConflict => ConflictError { fields: vec![Field::LocationId] }.into(),
        Problem::RateLimited => ProblemDetails::rate_limited(1),
        Problem::Internal => ProblemDetails::internal().of_request("01a202c0-f648-7000-8000-000000000000"),
        other => ProblemDetails::new(other, other.title()),
    }
}

fn blank_location() -> ProblemDetails {
    vec![Violation { pointer: Pointer::LocationId, code: Code::Blank }].into()
}

/// What is answered to a request that is refused.
fn refusal<T>(read: Result<T, impl Into<ProblemDetails>>) -> ProblemDetails {
    read.map_or_else(Into::into, |_| ProblemDetails::internal())
}

fn headers(problem: Problem) -> &'static [(&'static str, &'static str)] {
    match problem {
        Problem::Unauthorized => &[("WWW-Authenticate", "Bearer, with a realm (RFC 6750, section 3)")],
        Problem::MethodNotAllowed => &[("Allow", "The methods that the route takes")],
        Problem::RateLimited | Problem::Overloaded => {
            &[("Retry-After", "Seconds to wait (RFC 9110, section 10.2.3)")]
        }
        _ => &[],
    }
}
