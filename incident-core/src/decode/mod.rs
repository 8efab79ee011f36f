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

/// Where a text can be read no further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// The bytes are no UTF-8 from this offset (0-based) on.
    NotUtf8 {
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// Something here is no JSON, or nothing that can be kept.
    At {
        /// What it is.
        flaw: Flaw,
        /// Line, 1-based.
        line: usize,
        /// Column in bytes, 1-based.
        column: usize,
    },
}

/// What a reader of JSON stops at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// The grammar of RFC 8259 has nothing of that kind here.
    Syntax,
    /// An escape without the one that it needs beside it (RFC 8259, section 8.2).
    HalfSurrogatePair,
    /// No double can hold the number.
    Number,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "the syntax breaks",
            Self::HalfSurrogatePair => "a string holds half of a surrogate pair",
            Self::Number => "a number is larger than any double",
        })
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { offset } => write!(f, "it is no UTF-8 from byte {offset} on"),
            Self::At { flaw, line, column } => write!(f, "{flaw} at line {line}, column {column}"),
        }
    }
}

impl From<serde_json::Error> for Malformed {
    fn from(error: serde_json::Error) -> Self {
        Self::At { flaw: Flaw::from(&error), line: error.line(), column: error.column() }
    }
}

/// The parser tells its reasons apart in words alone, which never quote the text.
const TOLD: [(&str, Flaw); 3] = [
    ("lone leading surrogate", Flaw::HalfSurrogatePair),
    ("unexpected end of hex escape", Flaw::HalfSurrogatePair),
    ("number out of range", Flaw::Number),
];

impl From<&serde_json::Error> for Flaw {
    fn from(error: &serde_json::Error) -> Self {
        let said = error.to_string();
        TOLD.iter().find(|(words, _)| said.starts_with(words)).map_or(Self::Syntax, |(_, flaw)| *flaw)
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
