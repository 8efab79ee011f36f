//! Every problem that a route may answer with, each with an example made by the code that answers.

use std::collections::BTreeMap;

use incident_core::{Code, ConflictError, Field, MAX_PAYLOAD_BYTES, Pointer, Problem, Violation};
use utoipa::{
    IntoResponses,
    openapi::{
        ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder,
    },
};

use crate::problem::{self, ProblemDetails};

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident: $($problem:ident)*;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $name;
            impl IntoResponses for $name {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    responses(&[$(Problem::$problem),*])
                }
            }
        )*
    };
}

problems! {
    /// Of a sync.
    SyncProblems: MalformedJson Unauthorized MethodNotAllowed RequestTimeout IdempotencyConflict PayloadTooLarge
        UnsupportedMediaType ValidationFailed IdempotencyKeyMismatch RateLimited Internal Overloaded;
    /// Of a batch's envelope.
    BatchProblems: MalformedJson Unauthorized MethodNotAllowed RequestTimeout PayloadTooLarge UnsupportedMediaType
        ValidationFailed RateLimited Internal Overloaded;
    /// Of reading one incident.
    IncidentProblems: Unauthorized NotFound MethodNotAllowed Gone RateLimited Internal Overloaded;
    /// Of a list.
    ListProblems: Unauthorized MethodNotAllowed ValidationFailed RateLimited Internal Overloaded;
    /// Of the changes.
    ChangesProblems: Unauthorized Forbidden MethodNotAllowed CursorGone ValidationFailed RateLimited Internal Overloaded;
    /// Of erasing one incident.
    ErasureProblems: Unauthorized Forbidden NotFound MethodNotAllowed RateLimited Internal Overloaded;
    /// Of erasing those of one reporter.
    ErasureOfReporterProblems: Unauthorized Forbidden MethodNotAllowed ValidationFailed RateLimited Internal Overloaded;
    /// Of a problem's page.
    PageProblems: NotFound MethodNotAllowed;
    /// Of readiness.
    NotReady: Overloaded;
}

fn responses(problems: &[Problem]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status = BTreeMap::<u16, Vec<Problem>>::new();
    for problem in problems {
        by_status.entry(problem.status()).or_default().push(*problem);
    }
    by_status.into_iter().map(|(status, problems)| (status.to_string(), response(&problems).into())).collect()
}

fn response(problems: &[Problem]) -> Response {
    let examples = problems.iter().map(|problem| {
        let value = serde_json::to_value(example(*problem)).unwrap_or_default();
        (problem.as_str(), ExampleBuilder::new().summary(problem.title()).value(Some(value)).build())
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .examples_from_iter(examples.map(|(name, example)| (name, RefOr::T(example))))
        .build();
    let titles: Vec<_> = problems.iter().map(|problem| problem.title()).collect();
    let response =
        ResponseBuilder::new().description(titles.join("; or: ")).content(problem::MEDIA_TYPE, content);
    headers(problems[0])
        .iter()
        .fold(response, |response, (name, about)| {
            response.header(*name, HeaderBuilder::new().description(Some(*about)).build())
        })
        .build()
}

/// What a problem looks like.
fn example(problem: Problem) -> ProblemDetails {
    match problem {
        Problem::ValidationFailed => {
            vec![Violation { pointer: Pointer::LocationId, code: Code::Blank }].into()
        }
        Problem::IdempotencyConflict => ConflictError { fields: vec![Field::LocationId] }.into(),
        Problem::PayloadTooLarge => ProblemDetails::too_many_bytes(MAX_PAYLOAD_BYTES),
        Problem::RateLimited => ProblemDetails::rate_limited(1),
        Problem::Internal => ProblemDetails::internal().of_request("01a202c0-f648-7000-8000-000000000000"),
        other => ProblemDetails::new(other, other.title()),
    }
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
