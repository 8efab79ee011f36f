//! The `Idempotency-Key` header: beside a report its key, beside a question the sealed key of an anonymous incident.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::HeaderValue, http::request::Parts};
use incident_core::{IdempotencyKey, KeyError};
use utoipa::IntoParams;

const HEADER: &str = "idempotency-key";

/// The header of a sync. Sent more than once it must be the same key; else it is none.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct KeyHeader {
    /// The derived idempotency key, quoted as an RFC 8941 string or bare; of an anonymous report a sealed one, if
    /// you like: any UUIDv8 whose first 48 bits are `createdAt` in milliseconds. Optional; checked where it is sent.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, example = "\"01a202c0-f648-81b8-95f2-469ecf9e3f4e\"")]
    pub(crate) sent: Option<Result<IdempotencyKey, KeyError>>,
}

/// The header of a question for one incident.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct SealedKeyHeader {
    /// The sealed key of an anonymous incident: who sends it may read the incident. Of no use for others.
    #[param(rename = "Idempotency-Key", value_type = String, required = false, example = "\"01a202c0-f648-82ad-82fc-1e607f8e8875\"")]
    pub(crate) sent: Option<IdempotencyKey>,
}

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { sent: sent(parts) })
    }
}

impl<S: Sync> FromRequestParts<S> for SealedKeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self { sent: sent(parts).and_then(Result::ok) })
    }
}

fn sent(parts: &Parts) -> Option<Result<IdempotencyKey, KeyError>> {
    let mut sent = parts.headers.get_all(HEADER).iter().map(read);
    let first = sent.next()?;
    Some(if sent.all(|other| other == first) { first } else { Err(KeyError) })
}

fn read(value: &HeaderValue) -> Result<IdempotencyKey, KeyError> {
    value.to_str().map_err(|_| KeyError)?.parse()
}
