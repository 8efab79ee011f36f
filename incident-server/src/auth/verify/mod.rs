//! Checks a token: signature, times, issuer, audience, subject.

use std::{sync::Arc, time::Duration};

use incident_core::{Reporter, Timestamp};
use jsonwebtoken::{Header, TokenData, Validation, decode, decode_header, errors::ErrorKind};
use serde_json::Value;
use tokio::sync::watch;

use super::{
    Caller, ERASE_SCOPE, JwksError, JwksSource, KeySetState, READ_SCOPE, RequestPermit, SecretFiles,
    claims::{Claims, explain, names_crit, unix_ms},
    current_keys::{CurrentKeys, Trusted},
    key_source::KeySource,
    keys::{Key, KeySet, SignedWith},
};
use crate::{limits::TOKEN_BYTES, secrets::SecretError, usage::Usages};

const LEEWAY_SECONDS: f64 = 30.0;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    /// There is no token, or it is not valid: the caller needs a new one.
    #[error("{0}")]
    Invalid(&'static str),
    /// No key was ever to be had from the issuer: nobody can be judged.
    #[error("the key set of the token issuer could not be loaded yet")]
    NoKeys,
}

/// Checks tokens under the configured keys.
pub struct Verifier {
    pub(super) current_keys: CurrentKeys,
    usages: Usages,
    issuer: Option<String>,
    audience: Option<String>,
}

/// Why a token did not pass a check.
struct Failed {
    because: TokenError,
    /// Whether keys that are not known yet might let it pass.
    by_unknown_key: bool,
}

impl Failed {
    fn for_good(because: &'static str) -> Self {
        Self { because: TokenError::Invalid(because), by_unknown_key: false }
    }

    fn by_unknown_key(because: TokenError) -> Self {
        Self { because, by_unknown_key: true }
    }
}

impl Verifier {
    fn new(current_keys: CurrentKeys, issuer: Option<String>, audience: Option<String>) -> Self {
        Self { current_keys, usages: Usages::default(), issuer, audience }
    }

    /// Takes tokens signed with HS256 under a shared secret.
    pub fn hs256(secret: &[u8], issuer: Option<String>, audience: Option<String>) -> Self {
        Self::new(CurrentKeys::new(KeySet::hs256(&[secret]), None), issuer, audience)
    }

    /// Takes tokens signed with HS256 under the secrets in these files, which [`reload`](Self::reload) reads again.
    ///
    /// # Errors
    /// A file cannot be read, or its secret is too short.
    pub(crate) fn hs256_files(
        files: SecretFiles,
        issuer: Option<String>,
        audience: Option<String>,
    ) -> Result<Self, SecretError> {
        let keys = files.load()?;
        Ok(Self::new(CurrentKeys::new(keys, Some(KeySource::Secrets(files))), issuer, audience))
    }

    /// Takes tokens signed under the keys of a JWK set.
    ///
    /// # Errors
    /// A file that holds no set, or none with a usable key. A URL that does not answer, or not yet with a usable key, is no
    /// error: it is tried again.
    pub async fn jwks(
        source: JwksSource,
        issuer: Option<String>,
        audience: Option<String>,
    ) -> Result<Self, JwksError> {
        let keys = match (source.load().await, &source) {
            (Err(error), JwksSource::Url(_) | JwksSource::Discovered(_)) => {
                tracing::warn!(%error, "no key set yet; requests are answered 503 until it can be fetched");
                KeySet::default()
            }
            (Ok(keys), JwksSource::File(file)) if keys.is_empty() => {
                return Err(JwksError::NoUsableKey(file.clone()));
            }
            (Ok(keys), _) if keys.is_empty() => {
                tracing::warn!(
                    "the key set has no key that can be used here (RS256, ES256, EdDSA); requests are answered 503 until \
                     it has one"
                );
                keys
            }
            (loaded, _) => loaded?,
        };
        Ok(Self::new(CurrentKeys::new(keys, Some(KeySource::Issuer(source))), issuer, audience))
    }

    /// Says who the bearer of a token is.
    ///
    /// # Errors
    /// [`TokenError`].
    pub(crate) async fn verify(&self, token: &str, now: Timestamp) -> Result<Caller, TokenError> {
        if token.len() > TOKEN_BYTES {
            return Err(TokenError::Invalid("the access token is longer than 8 KiB"));
        }
        let trusted = self.current_keys.now();
        if let Some(caller) = trusted.verified.get(token)
            && now.unix_ms() < caller.expires_at_ms
        {
            return Ok(caller);
        }
        let header = decode_header(token).map_err(|_| TokenError::Invalid("the access token is no JWT"))?;
        if names_crit(token) {
            return Err(TokenError::Invalid("the access token has a `crit` header, which is not taken"));
        }
        match self.check(token, &header, &trusted, now) {
            Err(failed) if failed.by_unknown_key => {
                let asked = self.current_keys.ask_for_token().await;
                if Arc::ptr_eq(&asked, &trusted) {
                    return Err(failed.because);
                }
                self.check(token, &header, &asked, now)
            }
            checked => checked,
        }
        .map_err(|failed| failed.because)
    }

    /// Checks a token under the keys that may have signed it. Without a `kid` only a signature tells which did.
    fn check(
        &self,
        token: &str,
        header: &Header,
        trusted: &Trusted,
        now: Timestamp,
    ) -> Result<Caller, Failed> {
        if self.current_keys.awaited(trusted) {
            return Err(Failed::by_unknown_key(TokenError::NoKeys));
        }
        let unknown = TokenError::Invalid("the access token is signed with no key that is known here");
        let mut failed = Failed::by_unknown_key(unknown);
        for key in trusted.keys.fitting(header) {
            match decode::<Claims>(token, &key.decoding, &self.validation(key)) {
                Ok(data) => {
                    let caller = self.caller(data, key, now).map_err(Failed::for_good)?;
                    trusted.verified.insert(token.to_owned(), caller.clone());
                    return Ok(caller);
                }
                Err(error) if *error.kind() == ErrorKind::InvalidSignature => {
                    failed.because = TokenError::Invalid(explain(&error));
                }
                Err(error) => return Err(Failed::for_good(explain(&error))),
            }
        }
        Err(failed)
    }

    /// Whether the key of this caller's token is still in force.
    pub(crate) fn still_trusts(&self, caller: &Caller) -> bool {
        self.current_keys.now().keys.holds(&caller.signed_with)
    }

    /// Marked as changed whenever other keys are in force.
    pub(crate) fn watch_keys(&self) -> watch::Receiver<()> {
        self.current_keys.watch()
    }

    /// How fresh the keys are.
    pub(crate) fn key_set(&self) -> KeySetState {
        self.current_keys.state()
    }

    /// Reads the files of keys and secrets again, or asks the issuer. What cannot be read changes nothing.
    /// Says whether it could be read.
    pub(crate) async fn reload(&self) -> bool {
        self.current_keys.reload().await
    }

    fn caller(
        &self,
        data: TokenData<Claims>,
        key: &Arc<Key>,
        now: Timestamp,
    ) -> Result<Caller, &'static str> {
        let Claims { sub, exp, nbf, iss, scope } = data.claims;
        let expires_at_ms = unix_ms(exp + LEEWAY_SECONDS);
        if now.unix_ms() >= expires_at_ms {
            return Err("the access token has expired");
        }
        if nbf.is_some_and(|nbf| now.unix_ms() < unix_ms(nbf - LEEWAY_SECONDS)) {
            return Err("the access token is not valid yet");
        }
        if self.issuer.is_some() && !matches!(iss, Some(Value::String(_))) {
            return Err("the access token's `iss` must be one string");
        }
        let reporter = Reporter::parse(&sub)
            .map_err(|_| "the access token's `sub` must have 1 to 255 characters, none of them a control")?;
        let has =
            |wanted| matches!(&scope, Some(Value::String(scope)) if scope.split(' ').any(|s| s == wanted));
        let (may_read_all, may_erase) = (has(READ_SCOPE), has(ERASE_SCOPE));
        let (signed_with, usage) = (SignedWith(Arc::clone(key)), self.usages.of(&reporter));
        let (reporter, permit, waited) = (Arc::new(reporter), RequestPermit::default(), Duration::ZERO);
        Ok(Caller { reporter, may_read_all, may_erase, expires_at_ms, signed_with, usage, permit, waited })
    }

    /// All but the times, which are judged by the server's clock and not by the library's.
    fn validation(&self, key: &Key) -> Validation {
        let mut validation = Validation::new(key.algorithm);
        validation.validate_exp = false;
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

    /// Forgets the identities that have nothing under way.
    pub(crate) fn forget_idle(&self) {
        self.usages.forget_idle();
    }

    /// Asks the issuer, if there is one, for its keys of today.
    pub(crate) async fn refresh(&self) {
        self.current_keys.refresh().await;
    }
}

#[cfg(test)]
mod tests;
