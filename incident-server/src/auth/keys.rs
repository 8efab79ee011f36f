//! The keys that tokens may be signed with. A key decides its algorithm, never the token.

use std::{fmt, sync::Arc};

use jsonwebtoken::{
    Algorithm, DecodingKey, Header,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// One key and the algorithm it is for.
pub(super) struct Key {
    id: Option<String>,
    /// What it was made of: keys with one source are one key.
    source: Vec<u8>,
    pub(super) algorithm: Algorithm,
    pub(super) decoding: DecodingKey,
}

/// All keys in force.
#[derive(Default)]
pub(super) struct KeySet(Vec<Arc<Key>>);

/// The key that a token was signed with.
#[derive(Clone)]
pub(crate) struct SignedWith(pub(super) Arc<Key>);

impl fmt::Debug for SignedWith {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedWith(hidden)")
    }
}

/// The text is no JWK set (RFC 7517, section 5).
#[derive(Debug, thiserror::Error)]
#[error("not a JWK set: an object with an array `keys` is expected (RFC 7517, section 5)")]
pub struct KeySetError;

impl KeySet {
    /// Shared secrets; they fit tokens with and without `kid`.
    pub(super) fn hs256(secrets: &[&[u8]]) -> Self {
        let key = |secret: &&[u8]| Key {
            id: None,
            source: secret.to_vec(),
            algorithm: Algorithm::HS256,
            decoding: DecodingKey::from_secret(secret),
        };
        Self(secrets.iter().map(key).map(Arc::new).collect())
    }

    /// The keys of a JWK set that can be used here: RS256, ES256 and EdDSA; others are passed over.
    pub(super) fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Value>,
        }
        let set: Set = serde_json::from_slice(text).map_err(|_| KeySetError)?;
        Ok(Self(set.keys.into_iter().filter_map(usable).map(Arc::new).collect()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn holds(&self, signed_with: &SignedWith) -> bool {
        self.has(&signed_with.0)
    }

    /// Whether it consists of the same keys, in whatever order.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        self.0.len() == other.0.len() && self.0.iter().all(|key| other.has(key))
    }

    fn has(&self, key: &Key) -> bool {
        self.0.iter().any(|held| held.source == key.source)
    }

    /// The keys that may have signed a token with this header. A `kid` on one side only excludes nothing.
    pub(super) fn fitting<'a>(&'a self, header: &'a Header) -> impl Iterator<Item = &'a Arc<Key>> {
        self.0.iter().filter(|key| {
            let same_id = key.id.is_none() || header.kid.is_none() || key.id == header.kid;
            same_id && key.algorithm == header.alg
        })
    }
}

fn usable(value: Value) -> Option<Key> {
    // Members in the order of their names, whatever order they came in.
    let source = serde_json::to_vec(&value).ok()?;
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let for_signatures = common.public_key_use.as_ref().is_none_or(|named| *named == PublicKeyUse::Signature)
        && common.key_operations.as_ref().is_none_or(|named| named.contains(&KeyOperations::Verify));
    let algorithm = algorithm(&jwk).filter(|_| for_signatures)?;
    let decoding = DecodingKey::from_jwk(&jwk).ok()?;
    Some(Key { id: jwk.common.key_id, source, algorithm, decoding })
}

/// The algorithm of a key's kind; a key that names another one is not for us.
fn algorithm(jwk: &Jwk) -> Option<Algorithm> {
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        _ => return None,
    };
    jwk.common.key_algorithm.is_none_or(|named| named == name).then_some(algorithm)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// How many of these are taken, of one.
    fn taken(key: &serde_json::Value) -> usize {
        KeySet::parse(json!({ "keys": [key] }).to_string().as_bytes()).unwrap().0.len()
    }

    #[test]
    fn a_kind_of_key_with_the_curve_of_another_is_passed_over() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"; // RFC 8037, appendix A.2
        let known = [("OKP", "Ed25519", 1), ("OKP", "P-256", 0), ("EC", "P-256", 1), ("EC", "P-384", 0)];
        for (kind, curve, count) in known {
            assert_eq!(taken(&json!({ "kty": kind, "crv": curve, "x": x, "y": x })), count, "{kind} {curve}");
        }
    }

    #[test]
    fn a_key_that_is_not_for_checking_signatures_is_passed_over() {
        let known = [("sig", "verify", 1), ("enc", "verify", 0), ("sig", "sign", 0)];
        for (named, operation, count) in known {
            let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
            let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "use": named, "key_ops": [operation] });

            assert_eq!(taken(&key), count, "{named} {operation}");
        }
    }

    #[test]
    fn the_key_of_a_caller_is_never_shown() {
        let signed_with = SignedWith(Arc::clone(&KeySet::hs256(&[b"a secret"]).0[0]));

        assert_eq!(format!("{signed_with:?}"), "SignedWith(hidden)");
    }
}
