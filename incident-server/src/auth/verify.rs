//! Checks a token: signature, times, issuer, audience, subject.

use std::sync::Arc;

use incident_core::{Reporter, Timestamp};
use jsonwebtoken::{Header, TokenData, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Caller, JwksError, JwksSource, READ_SCOPE,
    in_force::{InForce, Trusted},
    keys::{Key, KeySet},
};

const LEEWAY_SECONDS: u32 = 30;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no token, or it is not valid: the caller needs a new one.
    #[error("{0}")]
    Invalid(&'static str),
    /// No key was ever to be had from the issuer: nobody can be judged.
    #[error("the key set of the token issuer could not be loaded yet")]
    NoKeys,
}

/// Checks tokens under the configured keys.
pub struct Verifier {
    in_force: InForce,
    issuer: Option<String>,
    audience: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: f64,
    scope: Option<Value>,
}

impl Verifier {
    /// Takes tokens signed with HS256 under a shared secret.
    pub fn hs256(secret: &[u8], issuer: Option<String>, audience: Option<String>) -> Self {
        Self { in_force: InForce::new(KeySet::hs256(secret), None), issuer, audience }
    }

    /// Takes tokens signed under the keys of a JWK set.
    ///
    /// # Errors
    /// A file that holds no set. A URL that does not answer is no error: it is tried again.
    pub async fn jwks(
        source: JwksSource,
        issuer: Option<String>,
        audience: Option<String>,
    ) -> Result<Self, JwksError> {
        let keys = match (source.load().await, &source) {
            (Err(error), JwksSource::Url(_)) => {
                tracing::warn!(%error, "no key set yet; requests are answered 503 until it can be fetched");
                KeySet::default()
            }
            (loaded, _) => loaded?,
        };
        Ok(Self { in_force: InForce::new(keys, Some(source)), issuer, audience })
    }

    /// Says who the bearer of a token is.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, Refused> {
        let mut trusted = self.in_force.now();
        if let Some(caller) = trusted.verified.get(token)
            && now.unix_ms() < caller.expires_at_ms
        {
            return Ok(caller);
        }
        let header = decode_header(token).map_err(|_| Refused::Invalid("the access token is no JWT"))?;
        if header.crit.is_some() {
            return Err(Refused::Invalid("the access token has a `crit` header, which is not taken"));
        }
        if trusted.keys.fitting(&header).next().is_none() {
            trusted = self.in_force.ask_for_token().await;
        }
        let caller = self.check(token, &header, &trusted)?;
        trusted.verified.insert(token.to_owned(), caller.clone());
        Ok(caller)
    }

    fn check(&self, token: &str, header: &Header, trusted: &Trusted) -> Result<Caller, Refused> {
        if self.in_force.awaited(trusted) {
            return Err(Refused::NoKeys);
        }
        let mut refused = Refused::Invalid("the access token is signed with no key that is known here");
        for key in trusted.keys.fitting(header) {
            match decode::<Claims>(token, &key.decoding, &self.validation(key)) {
                Ok(data) => return caller(data),
                Err(error) => refused = Refused::Invalid(explain(&error)),
            }
        }
        Err(refused)
    }

    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.leeway = LEEWAY_SECONDS.into();
        validation.validate_nbf = true;
        validation.validate_aud = self.audience.is_some();
        let mut required = vec!["exp", "sub"];
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        }
        validation.set_required_spec_claims(&required);
        validation
    }

    /// Asks the issuer, if there is one, for its keys of today.
    pub(crate) async fn refresh(&self) {
        self.in_force.refresh().await;
    }
}

#[allow(clippy::cast_possible_truncation)] // a float-to-int cast saturates
fn caller(data: TokenData<Claims>) -> Result<Caller, Refused> {
    let Claims { sub, exp, scope } = data.claims;
    let reporter = Reporter::parse(&sub).map_err(|_| {
        Refused::Invalid("the access token's `sub` must have 1 to 255 characters, none of them a control")
    })?;
    let may_read_all =
        matches!(&scope, Some(Value::String(scope)) if scope.split(' ').any(|s| s == READ_SCOPE));
    let expires_at_ms = ((exp + f64::from(LEEWAY_SECONDS)) * 1000.0) as i64;
    Ok(Caller { reporter: Arc::new(reporter), may_read_all, expires_at_ms })
}

fn explain(error: &jsonwebtoken::errors::Error) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::ExpiredSignature => "the access token has expired",
        ErrorKind::ImmatureSignature => "the access token is not valid yet",
        ErrorKind::InvalidIssuer => "the access token comes from another issuer",
        ErrorKind::InvalidAudience => "the access token is for another audience",
        ErrorKind::InvalidSignature => "the access token's signature does not verify",
        ErrorKind::MissingRequiredClaim(_) => {
            "the access token lacks a required claim (exp, sub, or iss and aud where configured)"
        }
        _ => "the access token is not valid",
    }
}
