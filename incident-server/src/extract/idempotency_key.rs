//! The `Idempotency-Key` header: never needed, but where it is sent it must be the derived key.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, request::Parts},
};
use incident_core::{IdempotencyKey, Problem};

use crate::problem::ProblemDetails;

const HEADER: &str = "idempotency-key";

/// The header's values, if any.
pub(crate) struct KeyHeader(Vec<HeaderValue>);

impl<S: Sync> FromRequestParts<S> for KeyHeader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let values = parts.headers.get_all(HEADER).iter();
        Ok(Self(values.cloned().collect()))
    }
}

impl KeyHeader {
    /// Refuses a key that is not the derived one: the two sides disagree about the user or the time.
    pub(crate) fn check(&self, derived: IdempotencyKey) -> Result<(), ProblemDetails> {
        let same = |text: &str| text.parse() == Ok(derived);
        if self.0.iter().all(|value| value.to_str().is_ok_and(same)) {
            return Ok(());
        }
        let detail = "Idempotency-Key is not the key of this token's subject and this createdAt: \
                      client and server disagree about who reports or when";
        Err(ProblemDetails::new(Problem::IdempotencyKeyMismatch, detail))
    }
}
