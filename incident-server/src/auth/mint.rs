//! Tokens for the generated secret: for a first try and for tests, not for a user base.

use std::time::Duration;

use incident_core::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

#[derive(Serialize)]
struct Claims<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    iat: i64,
    exp: i64,
}

/// What a token shall say.
#[derive(Debug, Clone, Copy)]
pub struct TokenRequest<'a> {
    /// Who: the `sub`.
    pub sub: &'a str,
    /// What they may do, separated by spaces.
    pub scope: Option<&'a str>,
    /// The `iss` that the server asks for, if it does.
    pub issuer: Option<&'a str>,
    /// The `aud` that the server asks for, if it does.
    pub audience: Option<&'a str>,
    /// How long it is valid.
    pub ttl: Duration,
}

/// Signs a token (RFC 7519) with HS256.
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn mint_hs256(secret: &[u8], request: TokenRequest<'_>, now: Timestamp) -> String {
    let TokenRequest { sub, scope, issuer, audience, ttl } = request;
    let iat = now.unix_ms() / 1000;
    let exp = iat.saturating_add(i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX));
    let claims = Claims { sub, scope, iss: issuer, aud: audience, iat, exp };
    encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).expect("HMAC signs")
}
