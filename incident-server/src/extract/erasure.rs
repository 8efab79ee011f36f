//! Whose incidents are to be erased.

use axum::{extract::FromRequestParts, http::request::Parts};
use incident_core::{Code, Reporter};

use super::query::Query;
use crate::problem::ProblemDetails;

/// The `reporter` of a query; without one nothing is erased.
pub(crate) struct OfReporter(pub(crate) Reporter);

impl<S: Sync> FromRequestParts<S> for OfReporter {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        let mut query = Query::read(parts.uri.query().unwrap_or_default());
        let rule = "must have 1 to 255 characters, none of them a control character";
        let reporter = query.get("reporter", Code::OutOfRange, rule, |text| Reporter::parse(text).ok());
        if reporter.is_none() && query.is_flawless() {
            query.refuse("reporter", Code::Required, "says whose incidents are to be erased");
        }
        query.finish(reporter)?.map(Self).ok_or_else(|| ProblemDetails::query(Vec::new()))
    }
}
