//! Keys and tokens of every kind, the bad ones too; signed here, so that nothing corrects them.

use aws_lc_rs::{
    hmac, rand,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use incident_server::Clock;
use serde_json::{Value, json};

/// Somebody who signs tokens.
pub enum Signer {
    /// With a shared secret.
    Hs256(Vec<u8>),
    /// With an RSA key.
    Rs256(RsaKeyPair),
    /// With a key on the curve P-256.
    Es256(EcdsaKeyPair),
    /// With a key on the curve Ed25519.
    EdDsa(Ed25519KeyPair),
}

impl Signer {
    /// A new key for `RS256`, `ES256` or `EdDSA`.
    ///
    /// # Panics
    /// There is no such algorithm here.
    #[track_caller]
    pub fn new(algorithm: &str) -> Self {
        let made = "a key is made";
        match algorithm {
            "RS256" => Self::Rs256(RsaKeyPair::generate(KeySize::Rsa2048).expect(made)),
            "ES256" => {
                let kind = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
                Self::Es256(EcdsaKeyPair::generate(kind).expect(made))
            }
            "EdDSA" => Self::EdDsa(Ed25519KeyPair::generate().expect(made)),
            other => panic!("no key for {other}"),
        }
    }

    /// The name in a token's header.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Self::Hs256(_) => "HS256",
            Self::Rs256(_) => "RS256",
            Self::Es256(_) => "ES256",
            Self::EdDsa(_) => "EdDSA",
        }
    }

    /// The public half as a JWK (RFC 7517).
    ///
    /// # Panics
    /// A shared secret has none.
    #[track_caller]
    pub fn jwk(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| BASE64.encode(bytes);
        match self {
            Self::Hs256(_) => panic!("a shared secret is not published"),
            Self::Rs256(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                let (n, e) =
                    (text(n.big_endian_without_leading_zero()), text(e.big_endian_without_leading_zero()));
                json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": n, "e": e })
            }
            Self::Es256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({ "kty": "EC", "crv": "P-256", "kid": kid, "x": text(x), "y": text(y) })
            }
            Self::EdDsa(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": text(pair.public_key().as_ref()) })
            }
        }
    }

    /// A token with this header and these claims, whatever they say.
    ///
    /// # Panics
    /// Never.
    pub fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = |part: &Value| BASE64.encode(part.to_string());
        let message = format!("{}.{}", text(header), text(claims));
        format!("{message}.{}", BASE64.encode(self.signature(message.as_bytes())))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = rand::SystemRandom::new();
        match self {
            Self::Hs256(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message).as_ref().to_vec()
            }
            Self::Rs256(pair) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signed).expect("RSA signs");
                signed
            }
            Self::Es256(pair) => pair.sign(&random, message).expect("ECDSA signs").as_ref().to_vec(),
            Self::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// A token of this signer for alice, valid for an hour.
pub fn token(signer: &Signer, kid: Option<&str>) -> String {
    let mut header = json!({ "alg": signer.algorithm(), "typ": "JWT" });
    if let Some(kid) = kid {
        header["kid"] = kid.into();
    }
    signer.sign(&header, &claims(&json!({})))
}

/// Good claims for alice, with these set; `null` takes one away. `exp`, `nbf` and `iat` count from now.
///
/// # Panics
/// They are no object.
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact")]
#[track_caller]
pub fn claims(changes: &Value) -> Value {
    let now = Clock::system().now().unix_ms() as f64 / 1000.0;
    let mut claims = json!({ "sub": "alice", "exp": now.floor() + 3600.0 });
    for (name, value) in changes.as_object().expect("claims are an object") {
        let relative = matches!(name.as_str(), "exp" | "nbf" | "iat");
        match value.as_f64() {
            Some(seconds) if relative => claims[name] = (now + seconds).into(),
            _ if value.is_null() => drop(claims.as_object_mut().and_then(|claims| claims.remove(name))),
            _ => claims[name] = value.clone(),
        }
    }
    claims
}
