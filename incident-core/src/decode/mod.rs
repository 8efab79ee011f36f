//! JSON text to payload, or every violation at once.
//!
//! Reading and judging are apart. Reading (`raw.rs`) walks the text once, keeps the known fields in whatever
//! type they come and skips the unknown ones; judging (`judge.rs`) turns what was read into field types.

mod judge;
mod raw;

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use self::{
    judge::{RawPayload, judge},
    raw::MAX_WARNINGS,
};
use crate::{Pointer, SyncPayload, Violation};

/// The most bytes a request with one payload may have.
pub const MAX_PAYLOAD_BYTES: usize = 32 * 1024;

/// A payload and what was noticed while it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The valid payload.
    pub payload: SyncPayload,
    /// The unknown fields that were skipped: at most 20, ordered by pointer.
    pub warnings: Vec<Warning>,
}

/// An unknown field: skipped unread, never a reason to refuse a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Where: a JSON Pointer (RFC 6901), the field's name cut to 64 characters.
    pub pointer: String,
    /// Always `unknown-field`.
    pub code: &'static str,
}

/// Why a text is no payload. Holds positions and rules, nothing of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON (RFC 8259), not UTF-8, a lone surrogate, a number no double can hold, or bytes after the end.
    #[error("not a JSON document: {0}")]
    Malformed(Malformed),
    /// JSON, but no valid payload: every violation, or the duplicate fields alone.
    #[error("{} of the payload's fields break a rule", .0.len())]
    Invalid(Vec<Violation>),
}

/// Where a text stops being JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are no UTF-8 from this offset (0-based) on.
    NotUtf8 {
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// The syntax breaks here.
    Syntax {
        /// Line, 1-based.
        line: usize,
        /// Column in bytes, 1-based.
        column: usize,
    },
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { offset } => write!(f, "it is no UTF-8 from byte {offset} on"),
            Self::Syntax { line, column } => write!(f, "the syntax breaks at line {line}, column {column}"),
        }
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self::Syntax { line: error.line(), column: error.column() }
    }
}

/// Reads one payload.
///
/// # Errors
/// [`DecodeError::Malformed`] where the bytes are no JSON document; [`DecodeError::Invalid`] where the document is no
/// valid payload, with every violation at once in the order of the fields.
pub fn decode(text: &[u8]) -> Result<Decoded, DecodeError> {
    decode_str(utf8(text).map_err(DecodeError::Malformed)?)
}

pub(crate) fn utf8(text: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(text).map_err(|error| Malformed::NotUtf8 { offset: error.valid_up_to() })
}

pub(crate) fn decode_str(text: &str) -> Result<Decoded, DecodeError> {
    let raw: RawPayload = serde_json::from_str(text).map_err(|error| DecodeError::Malformed(error.into()))?;
    let warnings = warnings(&raw);
    let payload = judge(raw).map_err(DecodeError::Invalid)?;
    Ok(Decoded { payload, warnings })
}

fn warnings(raw: &RawPayload) -> Vec<Warning> {
    let point = raw.gps_coordinates.iter().flat_map(|point| &point.unknown);
    let pointers: BTreeSet<String> = (raw.unknown.iter().map(|name| pointer("", name)))
        .chain(point.map(|name| pointer(Pointer::GpsCoordinates.as_str(), name)))
        .collect();
    pointers
        .into_iter()
        .take(MAX_WARNINGS)
        .map(|pointer| Warning { pointer, code: "unknown-field" })
        .collect()
}

/// A JSON Pointer (RFC 6901, section 3): `~` and `/` in a name are written `~0` and `~1`.
fn pointer(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}
