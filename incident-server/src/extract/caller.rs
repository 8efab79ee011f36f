//! Who asks: the bearer of a valid token (RFC 6750, section 2.1) who does not ask too often.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use incident_core::Problem;

use crate::{
    App,
    auth::{Caller, ERASE_SCOPE, READ_SCOPE, TokenError},
    problem::ProblemDetails,
    serve::{WithoutPermit, no_connection_left},
};

impl FromRequestParts<App> for Caller {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ProblemDetails> {
        let caller = authenticated(parts, app).await?;
        admitted(caller, parts, app)
    }
}

/// A caller who sends one payload, which counts against the rate of payloads, too.
pub(crate) struct SendsOne(pub(crate) Caller);

impl FromRequestParts<App> for SendsOne {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ProblemDetails> {
        let caller = Caller::from_request_parts(parts, app).await?;
        app.payload_limiting().check(&caller.reporter)?;
        Ok(Self(caller))
    }
}

/// A caller who may read all incidents; anybody else is refused.
pub(crate) struct ReadsAll(pub(crate) Caller);

impl FromRequestParts<App> for ReadsAll {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ProblemDetails> {
        let caller = authenticated(parts, app).await?;
        needs(READ_SCOPE, caller.may_read_all)?;
        admitted(caller, parts, app).map(Self)
    }
}

/// A caller who may erase incidents; anybody else is refused.
pub(crate) struct Erases(pub(crate) Caller);

impl FromRequestParts<App> for Erases {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ProblemDetails> {
        let caller = authenticated(parts, app).await?;
        needs(ERASE_SCOPE, caller.may_erase)?;
        admitted(caller, parts, app).map(Self)
    }
}

fn needs(scope: &str, has: bool) -> Result<(), ProblemDetails> {
    let detail = || format!("the access token needs the scope {scope}");
    if has { Ok(()) } else { Err(ProblemDetails::new(Problem::Forbidden, detail())) }
}

/// The caller, if this is not one request too many: of late, or at once.
fn admitted(mut caller: Caller, parts: &mut Parts, app: &App) -> Result<Caller, ProblemDetails> {
    app.rate_limiting().check(&caller.reporter)?;
    caller.permit = caller.usage.request()?.into();
    // For the body, whose bytes count as the caller's.
    parts.extensions.insert(Arc::clone(&caller.usage));
    Ok(caller)
}

async fn authenticated(parts: &Parts, app: &App) -> Result<Caller, ProblemDetails> {
    let token = bearer(&parts.headers)
        .ok_or(TokenError::Invalid("send an access token: Authorization: Bearer <token>"))?;
    let began = Instant::now();
    let mut caller = app.verifier().verify(token, app.now()).await?;
    caller.waited = began.elapsed();
    if parts.extensions.get::<WithoutPermit>().is_some() { Err(no_connection_left()) } else { Ok(caller) }
}

/// The token of the one `Authorization` header; the scheme's letter case does not matter.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
