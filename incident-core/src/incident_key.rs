//! Which key names a report: the one derived from its reporter, or for an anonymous report a sealed one.
//!
//! Whoever knows a person's `sub` can recompute a derived key. So the outbox makes the key of an anonymous report
//! from a secret that never leaves the phone, and the server takes it as it is, in a space of its own.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{Facts, IdempotencyKey, Reporter, SyncPayload, Timestamp};

const SEALED_KEY_DOMAIN: &[u8] = b"incident-sync/sealed-key/v1";

/// 32 random bytes of one outbox, made with its file and never sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct OutboxSecret([u8; 32]);

impl OutboxSecret {
    /// Takes 32 random bytes.
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// The bytes, to be kept in the outbox's own file and nowhere else.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA-256 (RFC 2104) under this secret of a domain, the reporter and a moment, each ended by a zero
    /// byte but the last.
    pub fn digest(&self, domain: &[u8], reporter: &Reporter, unix_ms: i64) -> [u8; 32] {
        // A key of 32 bytes is one that HMAC takes.
        let Ok(mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { unreachable!() };
        mac.chain_update(domain)
            .chain_update([0])
            .chain_update(reporter.as_str())
            .chain_update([0])
            .chain_update(unix_ms.to_be_bytes())
            .finalize()
            .into_bytes()
            .into()
    }
}

impl fmt::Debug for OutboxSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OutboxSecret(…)")
    }
}

impl IdempotencyKey {
    /// The sealed key of an anonymous report: nobody without the outbox's secret can test a guess of its reporter.
    ///
    /// ```text
    /// digest = HMAC-SHA-256(secret, "incident-sync/sealed-key/v1" ‖ 00 ‖ UTF-8(reporter) ‖ 00
    ///                               ‖ int64 big-endian(createdAt in ms))
    /// key    = as in [`derive`](Self::derive), from this digest
    /// ```
    pub fn seal(secret: &OutboxSecret, reporter: &Reporter, created_at: Timestamp) -> Self {
        Self::from_digest(created_at, &secret.digest(SEALED_KEY_DOMAIN, reporter, created_at.unix_ms()))
    }
}

/// The key of an incident and the space it lives in: the same 16 bytes in the other space name another incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IncidentKey {
    /// Derived from the reporter and the moment.
    Derived(IdempotencyKey),
    /// Made by the client for an anonymous report.
    Sealed(IdempotencyKey),
}

/// The key that came with a payload cannot be its key: the two sides disagree about who reports or when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key does not belong to this reporter and this moment")]
pub struct KeyMismatchError;

impl IncidentKey {
    /// The key under which `payload` of `reporter` is synced, where the client sent this one or none.
    ///
    /// A named payload always has the derived key. An anonymous one has the key that was sent, if that is a UUIDv8
    /// with the payload's moment; without one, or with the caller's own derived one, the derived one.
    ///
    /// # Errors
    /// [`KeyMismatchError`] where the key that was sent can be none of these.
    pub fn resolve(
        payload: &SyncPayload,
        reporter: &Reporter,
        sent: Option<IdempotencyKey>,
    ) -> Result<Self, KeyMismatchError> {
        let facts = &payload.facts;
        let derived = IdempotencyKey::derive(reporter, facts.created_at);
        match sent {
            None => Ok(Self::Derived(derived)),
            Some(sent) if sent == derived => Ok(Self::Derived(derived)),
            Some(sent) if facts.is_anonymous && sent.could_name(facts.created_at) => Ok(Self::Sealed(sent)),
            Some(_) => Err(KeyMismatchError),
        }
    }

    /// The key under which an erased incident was stored if this caller may know that it was: whoever sends its sealed
    /// key. Whether it was named, and whose, is not known any more.
    pub fn to_know_erased(sent: Option<IdempotencyKey>) -> Option<Self> {
        sent.map(Self::Sealed)
    }

    /// The key under which an incident with these facts is stored if this caller may read it: the way in for all who
    /// may not read every incident.
    ///
    /// A named incident is read by its reporter, an anonymous one by whoever sends its sealed key. An anonymous one
    /// under a derived key has no such way in: anybody with a list of users could ask as each of them.
    pub fn to_read(facts: &Facts, caller: &Reporter, sent: Option<IdempotencyKey>) -> Option<Self> {
        if facts.is_anonymous {
            sent.map(Self::Sealed)
        } else {
            Some(Self::Derived(IdempotencyKey::derive(caller, facts.created_at)))
        }
    }

    /// The key, whatever its space.
    pub const fn key(&self) -> IdempotencyKey {
        match self {
            Self::Derived(key) | Self::Sealed(key) => *key,
        }
    }
}

/// A key that was derived.
impl From<IdempotencyKey> for IncidentKey {
    fn from(derived: IdempotencyKey) -> Self {
        Self::Derived(derived)
    }
}
