//! The `Idempotency-Key` header: beside a report its key, beside a question the sealed key of an anonymous incident.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::HeaderValue, http::request::Parts};
use incident_core::{IdempotencyKey, KeyError};

const HEADER: &str = "idempotency-key";

/// The key that was sent, if any. Sent more than once it must be the same one; else it is none.
pub(crate) struct KeyHeader(pub(crate) Option<Result<IdempotencyKey, KeyError>>);

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let mut sent = parts.headers.get_all(HEADER).iter().map(read);
        let first = sent.next();
        Ok(Self(first.map(|first| if sent.all(|other| other == first) { first } else { Err(KeyError) })))
    }
}

fn read(value: &HeaderValue) -> Result<IdempotencyKey, KeyError> {
    value.to_str().map_err(|_| KeyError)?.parse()
}
