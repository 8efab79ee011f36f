//! What went wrong as an answer (RFC 9457), and the one place that logs a failure. Which status a problem has, the core says.

mod advice;
mod from;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use incident_core::{Disposition, Problem, Violation};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::advice::{Advice, of_disposition};
use crate::{limits::RETRY_AFTER_SECONDS, schema};

/// The media type of an answer that says what went wrong.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";
/// RFC 6750, section 3: the scheme has at least one parameter. (Foundation on Linux ends the program without one.)
const CHALLENGE: &str = "Bearer realm=\"incident-sync\"";

// Built here and nowhere else.
/// What went wrong, in the shape of RFC 9457, section 3. Its `detail` never holds anything of a payload.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
pub(crate) struct ProblemDetails {
    /// `/problems/<slug>`: the address of a page on this server that says what to do.
    #[serde(rename = "type")]
    kind: String,
    /// One sentence for people, the same for every occurrence.
    title: &'static str,
    /// The status of the answer; of a result in a batch, the one that it would have had alone.
    status: u16,
    /// What happened this time.
    detail: String,
    #[schema(value_type = schema::DispositionWord, inline)]
    disposition: Disposition,
    /// Every broken rule, of `validation-failed`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<schema::Violation>)]
    errors: Vec<ErrorEntry>,
    /// The fields in which what is stored differs, of `idempotency-conflict`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fields: Vec<&'static str>,
    /// How many bytes a body may have, of `payload-too-large`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_bytes: Option<usize>,
    /// How many payloads a batch may have, of `payload-too-large`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max_items: Option<usize>,
    #[serde(skip)]
    problem: Problem,
    #[serde(skip)]
    retry_after_seconds: Option<u64>,
    /// Whether anybody can cause it as often as they like.
    #[serde(skip)]
    counted: bool,
    /// What went wrong inside: for the log, whoever makes an answer of it writes it there.
    #[serde(skip)]
    cause: Option<String>,
}

/// One entry of `errors`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub(crate) enum ErrorEntry {
    Payload(Violation),
    Query { pointer: String, code: &'static str, detail: String },
}

impl ProblemDetails {
    /// A problem with a sentence on this occurrence.
    pub(crate) fn new(problem: Problem, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/problems/{problem}"),
            title: problem.title(),
            status: problem.status(),
            detail: detail.into(),
            disposition: problem.disposition(),
            errors: Vec::new(),
            fields: Vec::new(),
            max_bytes: None,
            max_items: None,
            counted: matches!(problem, Problem::Unauthorized | Problem::RateLimited),
            cause: None,
            problem,
            retry_after_seconds: matches!(problem, Problem::Overloaded)
                .then(|| fastrand::u64(RETRY_AFTER_SECONDS)),
        }
    }

    /// The same, with another sentence on this occurrence.
    pub(crate) fn saying(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// The same, to somebody whose token was not looked at or could not be judged: it is counted in the log.
    pub(crate) fn for_a_stranger(self) -> Self {
        Self { counted: true, ..self }
    }

    /// The same, for a reason that operators should know.
    pub(crate) fn because(self, cause: &impl ToString) -> Self {
        Self { cause: Some(cause.to_string()), ..self }
    }

    /// Says in the log what went wrong inside, if something did: once for each answer.
    pub(crate) fn log_cause(&self) {
        if let Some(cause) = &self.cause {
            tracing::error!(status = self.status, error = %cause, "a request failed for a fault inside");
        }
    }

    /// Which problem it is.
    pub(crate) fn problem(&self) -> Problem {
        self.problem
    }

    /// A body over its limit.
    pub(crate) fn too_many_bytes(max_bytes: usize) -> Self {
        let detail = format!("the body may have at most {max_bytes} bytes");
        Self { max_bytes: Some(max_bytes), ..Self::new(Problem::PayloadTooLarge, detail) }
    }

    /// An identity over its rate.
    pub(crate) fn rate_limited(retry_after_seconds: u64) -> Self {
        let detail = format!("send again in {retry_after_seconds} s");
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::new(Problem::RateLimited, detail) }
    }

    /// Query parameters that break rules; a pointer is the parameter's name behind a slash.
    pub(crate) fn query(errors: Vec<(&'static str, incident_core::Code, String)>) -> Self {
        let entry = |(name, code, detail): (&str, incident_core::Code, String)| ErrorEntry::Query {
            pointer: format!("/{name}"),
            code: code.as_str(),
            detail,
        };
        Self::invalid(errors.into_iter().map(entry).collect())
    }

    fn invalid(errors: Vec<ErrorEntry>) -> Self {
        let detail = match errors.len() {
            1 => "one rule is broken, see errors".to_owned(),
            count => format!("{count} rules are broken, see errors"),
        };
        Self { errors, ..Self::new(Problem::ValidationFailed, detail) }
    }

    /// A bug; whoever knows the request's id puts it into `detail`.
    pub(crate) fn internal() -> Self {
        Self::new(Problem::Internal, "")
    }

    /// Of a bug it says in `detail` where operators find what happened.
    pub(crate) fn of_request(self, request_id: &str) -> Self {
        match self.problem {
            Problem::Internal => {
                let detail = format!("the server's log tells more about request {request_id}");
                Self { detail, ..self }
            }
            _ => self,
        }
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if self.problem == Problem::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE));
        }
        headers
    }
}

/// Marks an answer so that the middleware can complete, count and log it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marked {
    pub(crate) problem: Problem,
    /// Whether it costs no line of its own in the log.
    pub(crate) counted: bool,
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        self.log_cause();
        let mut response = (status_code(self.status), Json(&self)).into_response();
        for (name, value) in &self.headers() {
            response.headers_mut().insert(name, value.clone());
        }
        response.extensions_mut().insert(Marked { problem: self.problem, counted: self.counted });
        response
    }
}

/// As axum wants it.
pub(crate) fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
