//! Whose incidents are to be erased.

use axum::{extract::FromRequestParts, http::request::Parts};
use incident_core::{Code, Reporter};
use utoipa::IntoParams;

use super::query::Query;
use crate::problem::ProblemDetails;

/// The `reporter` of a query; without one nothing is erased.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OfReporter {
    /// Whose incidents: the `sub` of their tokens. In a query a `+` is a space; one in the name is written `%2B`.
    #[param(value_type = String, min_length = 1, max_length = 255)]
    pub(crate) reporter: Reporter,
}

impl<S: Sync> FromRequestParts<S> for OfReporter {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl OfReporter {
    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<Self, ProblemDetails> {
        let mut query = Query::read(query);
        let parse = |text: &str| Reporter::parse(text).map_err(|error| error.codes);
        let reporter = query.text("reporter", Reporter::MAX_CHARS, parse);
        if reporter.is_none() && query.is_flawless() {
            query.refuse("reporter", Code::Required, "says whose incidents are to be erased");
        }
        if query.is_flawless() && query.is_any_but("reporter") {
            // What looks as if it narrowed an erasure must not be passed over: nothing brings back what was erased.
            query.refuse(
                "reporter",
                Code::UnknownValue,
                "is the only parameter of an erasure; leave all others out",
            );
        }
        query
            .finish(reporter)?
            .map(|reporter| Self { reporter })
            .ok_or_else(|| ProblemDetails::query(Vec::new()))
    }
}
