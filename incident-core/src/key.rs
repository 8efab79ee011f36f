//! The name of an incident: derived from who reported and when, never chosen.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Code, Timestamp, text};

const DOMAIN: &[u8] = b"incident-sync/key/v1";

/// Who reports: the `sub` of the access token (RFC 7519, section 4.1.2), taken as it is, not trimmed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reporter(String);

/// The identity is empty, longer than 255 characters, or holds a control character.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a reporter's identity has 1 to 255 characters and no control character")]
pub struct ReporterError {
    /// Which of them, as of any [text](crate::TextError).
    pub codes: Vec<Code>,
}

impl Reporter {
    /// The most characters (Unicode scalar values) an identity may have.
    pub const MAX_CHARS: usize = 255;

    /// Checks length and characters; changes nothing.
    ///
    /// # Errors
    /// Empty, too long, or a control character (U+0000–U+001F, U+007F).
    pub fn parse(identity: &str) -> Result<Self, ReporterError> {
        let checked = text::check_as_it_is(identity, Self::MAX_CHARS, &[]);
        checked.map(Self).map_err(|error| ReporterError { codes: error.codes })
    }

    /// The identity.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

// An identity stays out of logs, even out of a careless `{:?}`.
impl fmt::Debug for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reporter(…)")
    }
}

/// The idempotency key of an incident: a UUIDv8 (RFC 9562, section 5.8), time-ordered.
///
/// ```text
/// digest = SHA-256("incident-sync/key/v1" ‖ 00 ‖ UTF-8(reporter) ‖ 00 ‖ int64 big-endian(createdAt in ms))
/// key    = createdAt in ms, 48 bits big-endian ‖ the first 10 bytes of digest,
///          then version nibble 8 and variant bits 10
/// ```
///
/// Whoever knows a key can test a guess of its reporter; see [`IncidentId`](crate::IncidentId) for what a
/// server stores instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IdempotencyKey(Uuid);

/// The text is no UUID in hyphenated form, bare or quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no idempotency key: a hyphenated UUID is expected, bare or in double quotes")]
pub struct KeyError;

impl IdempotencyKey {
    /// Names the incident that `reporter` created at `created_at`.
    ///
    /// ```
    /// use incident_core::{IdempotencyKey, Reporter};
    /// let key = IdempotencyKey::derive(&Reporter::parse("alice")?, "2026-11-22T10:15:30.120Z".parse()?);
    /// assert_eq!(key.to_string(), "01a202c0-f648-81b8-95f2-469ecf9e3f4e");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn derive(reporter: &Reporter, created_at: Timestamp) -> Self {
        let digest = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update([0])
            .chain_update(reporter.as_str())
            .chain_update([0])
            .chain_update(created_at.unix_ms().to_be_bytes())
            .finalize();
        Self::from_digest(created_at, &digest)
    }

    /// The moment that the key begins with.
    pub fn created_at_ms(&self) -> i64 {
        let mut ms = [0; 8];
        ms[2..].copy_from_slice(&self.0.as_bytes()[..6]);
        i64::from_be_bytes(ms)
    }

    /// Takes a key of somebody's making for a report of `created_at`, if it could be one: a UUIDv8 (variant 10)
    /// with the moment's 48 bits.
    pub(crate) fn could_name(&self, created_at: Timestamp) -> bool {
        let shape = (self.0.get_version_num(), self.0.get_variant());
        shape == (8, uuid::Variant::RFC4122) && self.created_at_ms() == created_at.unix_ms()
    }

    pub(crate) fn from_digest(created_at: Timestamp, digest: &[u8]) -> Self {
        Self(time_ordered(created_at, digest))
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// 48 bits of time, 10 bytes of digest, version 8, variant 10.
fn time_ordered(moment: Timestamp, digest: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&moment.unix_ms().to_be_bytes()[2..]);
    bytes[6..].copy_from_slice(&digest[..10]);
    Uuid::new_v8(bytes)
}

/// Reads a UUID in hyphenated form and nothing else.
pub(crate) fn hyphenated(text: &str) -> Option<Uuid> {
    if text.len() == 36 { Uuid::try_parse(text).ok() } else { None }
}

/// Reads the value of an `Idempotency-Key` header: quoted as an RFC 8941 string, or bare; any letter case.
impl FromStr for IdempotencyKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim_matches([' ', '\t']);
        let bare = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
        hyphenated(bare).map(Self).ok_or(KeyError)
    }
}

/// Lower case with hyphens.
impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl Serialize for IdempotencyKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_may_be_quoted_or_bare_in_any_letter_case() {
        let key = IdempotencyKey::derive(&Reporter::parse("alice").unwrap(), Timestamp::MIN);
        for text in
            [key.to_string(), format!("\"{key}\""), format!(" \"{}\"", key.to_string().to_uppercase())]
        {
            assert_eq!(text.parse(), Ok(key));
        }
        for text in ["", "\"", "\"\"", "x", &key.to_string().replace('-', ""), &format!("\"{key}")] {
            assert_eq!(text.parse::<IdempotencyKey>(), Err(KeyError), "{text}");
        }
    }

    #[test]
    fn an_identity_has_1_to_255_characters_and_no_control_character() {
        assert!(Reporter::parse(&"é".repeat(255)).is_ok());
        assert!(Reporter::parse(" ").is_ok(), "as it is");
        for (refused, code) in [
            ("", Code::Blank),
            ("a\0b", Code::ControlCharacter),
            ("a\u{7f}", Code::ControlCharacter),
            (&"é".repeat(256), Code::TooLong),
        ] {
            assert_eq!(Reporter::parse(refused), Err(ReporterError { codes: vec![code] }));
        }
    }
}
