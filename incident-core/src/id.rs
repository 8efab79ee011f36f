//! What a server stores and shows instead of the idempotency key.

use std::{fmt, str::FromStr};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, Serializer};
use sha2::Sha256;
use uuid::Uuid;

use crate::{IncidentKey, Timestamp, key};

const SEALED_DOMAIN: &[u8] = b"incident-sync/sealed/v1";
const FINGERPRINT_DOMAIN: &[u8] = b"incident-sync/id-secret-fingerprint/v1";

/// The secret between idempotency keys and incident ids; every replica needs the same one.
#[derive(Clone)]
pub struct IdSecret(Hmac<Sha256>);

/// An id secret needs at least 32 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id secret has {0} bytes, it needs at least {min}", min = IdSecret::MIN_BYTES)]
pub struct IdSecretError(pub usize);

impl IdSecret {
    /// The fewest bytes a secret may have.
    pub const MIN_BYTES: usize = 32;

    /// Takes the secret's bytes.
    ///
    /// # Errors
    /// Fewer than [`MIN_BYTES`](Self::MIN_BYTES).
    pub fn new(secret: &[u8]) -> Result<Self, IdSecretError> {
        let too_short = IdSecretError(secret.len());
        if secret.len() < Self::MIN_BYTES {
            return Err(too_short);
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|_| too_short)
    }

    /// What a database keeps to recognise its secret by: HMAC-SHA-256 of a constant, which gives nothing of the
    /// secret away. With another secret every repeat would be stored as a new incident.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.digest(&[FINGERPRINT_DOMAIN])
    }

    fn digest(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mac = parts.iter().fold(self.0.clone(), Mac::chain_update);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for IdSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdSecret(…)")
    }
}

/// The id of an incident: a UUIDv8 (RFC 9562, section 5.8) with the 48 time bits of the key and 10 bytes of
/// HMAC-SHA-256 (RFC 2104) under the id secret.
///
/// ```text
/// derived key: HMAC-SHA-256(id secret, the key's 16 bytes)
/// sealed key:  HMAC-SHA-256(id secret, "incident-sync/sealed/v1" ‖ 00 ‖ the key's 16 bytes)
/// ```
///
/// So whoever sends as a sealed key the key that was derived for somebody else names another incident.
/// Without the secret nobody can test «was it Alice?» on an id, a database or a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IncidentId(Uuid);

/// The text is no UUID in hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no incident id: a hyphenated UUID is expected")]
pub struct IdError;

impl IncidentId {
    /// Turns the key of an incident into the id under which it is stored.
    ///
    /// ```
    /// use incident_core::{IdSecret, IdempotencyKey, IncidentId, Reporter};
    /// let at = "2026-11-22T10:15:30.120Z".parse()?;
    /// let key = IdempotencyKey::derive(&Reporter::parse("alice")?, at);
    /// let id = IncidentId::derive(&IdSecret::new(&[7; 32])?, key.into());
    /// assert_eq!(id.to_string()[..13], key.to_string()[..13], "the same 48 bits of time");
    /// assert_ne!(id.to_string(), key.to_string());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn derive(secret: &IdSecret, key: IncidentKey) -> Self {
        let digest = match &key {
            IncidentKey::Derived(key) => secret.digest(&[key.as_bytes()]),
            IncidentKey::Sealed(key) => secret.digest(&[SEALED_DOMAIN, &[0], key.as_bytes()]),
        };
        let mut bytes = *key.key().as_bytes();
        bytes[6..].copy_from_slice(&digest[..10]);
        Self(Uuid::new_v8(bytes))
    }

    /// Takes 16 stored bytes back.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The 16 bytes, in the order of time.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The moment that the id begins with: when its incident was created, by the phone's clock.
    pub fn created_at(&self) -> Timestamp {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0.as_bytes()[..6]);
        // 48 bits reach further than the years that a moment may have; no key has such bits.
        Timestamp::from_unix_ms(i64::from_be_bytes(ms)).unwrap_or(Timestamp::MAX)
    }

    /// The smallest possible id of an incident created at `moment`: where a range of time begins.
    pub fn first_at(moment: Timestamp) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&moment.unix_ms().to_be_bytes()[2..]);
        Self(Uuid::from_bytes(bytes))
    }
}

impl FromStr for IncidentId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        key::hyphenated(text).map(Self).ok_or(IdError)
    }
}

/// Lower case with hyphens.
impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for IncidentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IdempotencyKey, Reporter};

    #[test]
    fn another_secret_gives_another_id() {
        let key = IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), Timestamp::MIN);
        let [one, other] =
            [1, 2].map(|byte| IncidentId::derive(&IdSecret::new(&[byte; 32]).unwrap(), key.into()));
        assert_ne!(one, other);
        assert_eq!(one.as_bytes()[..6], other.as_bytes()[..6]);
        assert!(one > IncidentId::first_at(Timestamp::MIN));
        assert_eq!(one.created_at(), Timestamp::MIN);
        assert_eq!(IncidentId::from_bytes([0xff; 16]).created_at(), Timestamp::MAX);
    }

    #[test]
    fn an_id_has_the_bytes_of_its_text_and_is_made_of_them_again() {
        let id: IncidentId = "01a202c0-f648-8114-8d97-64d571c679d1".parse().unwrap();
        assert_eq!(u128::from_be_bytes(*id.as_bytes()), 0x01a2_02c0_f648_8114_8d97_64d5_71c6_79d1);
        assert_eq!(IncidentId::from_bytes(*id.as_bytes()), id);
    }

    #[test]
    fn the_fingerprint_tells_one_secret_from_another_and_never_changes() {
        let [one, other] = [1, 2].map(|byte| IdSecret::new(&[byte; 32]).unwrap().fingerprint());
        assert_ne!(one, other);
        // Computed with Python's hmac module.
        assert_eq!(one[..8], [0x16, 0x0f, 0x32, 0x3b, 0xa5, 0xd4, 0xb8, 0x93]);
    }

    #[test]
    fn a_secret_of_31_bytes_is_refused() {
        assert_eq!(IdSecret::new(&[1; 31]).unwrap_err(), IdSecretError(31));
    }

    // RFC 2104 over a known key, computed with Python's hmac module.
    #[test]
    fn the_id_is_the_first_ten_bytes_of_the_hmac() {
        let key: IdempotencyKey = "01a202c0-f648-81b8-95f2-469ecf9e3f4e".parse().unwrap();
        let id = IncidentId::derive(&IdSecret::new(&[b's'; 32]).unwrap(), key.into());
        assert_eq!(id.to_string(), "01a202c0-f648-8114-8d97-64d571c679d1");
    }
}
