//! The parameters of a list. Every fault at once; an unknown parameter is passed over.

use std::str::FromStr;

use axum::{extract::FromRequestParts, http::request::Parts};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use incident_core::{Code, IncidentId, LocationId, Status, Timestamp};
use utoipa::IntoParams;

use super::query::Query;
use crate::{problem::ProblemDetails, schema::StatusWord};

pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const MAX_LIMIT: usize = 200;

/// What a list is asked for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ListParameters {
    /// Only incidents in this state.
    #[param(value_type = Option<StatusWord>, inline, required = false, nullable = false)]
    pub(crate) status: Option<Status>,
    /// Only incidents at this location.
    #[param(value_type = Option<String>, min_length = 1, max_length = 128, required = false, nullable = false)]
    pub(crate) location_id: Option<LocationId>,
    /// Only incidents created at this moment or later.
    #[param(value_type = Option<String>, format = "date-time", required = false, nullable = false)]
    pub(crate) created_after: Option<Timestamp>,
    /// Only incidents created before this moment.
    #[param(value_type = Option<String>, format = "date-time", required = false, nullable = false)]
    pub(crate) created_before: Option<Timestamp>,
    /// At most so many, 50 unless given.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 200, required = false, nullable = false)]
    pub(crate) limit: usize,
    /// The `nextCursor` of the page before.
    #[param(value_type = Option<String>, min_length = 1, required = false, nullable = false)]
    pub(crate) cursor: Option<ListCursor>,
}

/// Where a page begins: behind this incident. Opaque on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ListCursor(pub(crate) IncidentId);

impl FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).map_err(drop)?;
        <[u8; 16]>::try_from(bytes).map(|bytes| Self(IncidentId::from_bytes(bytes))).map_err(drop)
    }
}

impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl<S: Sync> FromRequestParts<S> for ListParameters {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        Self::read(parts.uri.query().unwrap_or_default())
    }
}

impl ListParameters {
    /// Reads the query of an address.
    pub(crate) fn read(query: &str) -> Result<Self, ProblemDetails> {
        let mut query = Query::read(query);
        let word = "must be Open or Cancelled";
        let location = |text: &str| LocationId::parse(text).map_err(|error| error.codes);
        let parameters = Self {
            status: query.get("status", Code::UnknownValue, word, |text| text.parse().ok()),
            location_id: query.text("locationId", LocationId::MAX_CHARS, location),
            created_after: query.moment("createdAfter"),
            created_before: query.moment("createdBefore"),
            limit: query.limit(DEFAULT_LIMIT, MAX_LIMIT),
            cursor: query.get("cursor", Code::UnknownValue, "must be a nextCursor", |text| text.parse().ok()),
        };
        query.finish(parameters)
    }
}
