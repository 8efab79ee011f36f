//! The id in a path; anything else there names no incident.

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use incident_core::{IncidentId, Problem};
use utoipa::IntoParams;

use crate::problem::ProblemDetails;

/// The `{id}` of a path.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct PathId {
    /// The `id` of an incident.
    #[param(value_type = String, format = "uuid", example = "01a202c0-f648-8114-8d97-64d571c679d1")]
    pub(crate) id: IncidentId,
}

impl<S: Sync> FromRequestParts<S> for PathId {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        let text = parts.extract::<Path<String>>().await.ok();
        text.and_then(|Path(text)| text.parse().ok()).map(|id| Self { id }).ok_or_else(not_found)
    }
}

/// The incident was erased, and this caller may know it.
pub(crate) fn gone() -> ProblemDetails {
    ProblemDetails::new(Problem::Gone, "the incident was erased")
}

/// There is no such incident, or none that this caller may see: the answer is the same.
pub(crate) fn not_found() -> ProblemDetails {
    ProblemDetails::new(Problem::NotFound, "there is no incident with this id that this caller may see")
}
