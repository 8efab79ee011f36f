//! JSON text to payload, or every violation at once.
//!
//! Reading and judging are apart. Reading (`raw.rs`) walks the text once, keeps the known fields in whatever
//! type they come and skips the unknown ones; judging turns what was read into field types.

mod raw;

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use crate::{
    Code, Coordinates, LocationId, Pointer, SyncPayload, Timestamp, Violation,
    payload::{Check, Facts},
};
use raw::{MAX_WARNINGS, Point, RawPayload, Scalar};

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

fn judge(raw: RawPayload) -> Result<SyncPayload, Vec<Violation>> {
    let mut check = Check::default();
    if !raw.is_object {
        check.fail::<()>(Pointer::Document, Code::Type);
        return check.finish(None, None);
    }
    let point = raw.gps_coordinates.as_ref();
    let duplicates = raw.duplicates.iter().chain(point.into_iter().flat_map(|point| &point.duplicates));
    let duplicates: Vec<_> =
        duplicates.map(|&pointer| Violation { pointer, code: Code::DuplicateField }).collect();
    if !duplicates.is_empty() {
        return Err(duplicates);
    }
    let location_id = required_text(&mut check, Pointer::LocationId, raw.location_id)
        .and_then(|text| check.text(Pointer::LocationId, LocationId::parse(&text)));
    let room_number = optional_text(&mut check, Pointer::RoomNumber, raw.room_number);
    let room_number = check.room_number(room_number.as_deref());
    let gps_coordinates = judge_point(&mut check, raw.gps_coordinates);
    let is_anonymous = judge_bool(&mut check, Pointer::IsAnonymous, raw.is_anonymous.as_ref());
    let created_at = required_text(&mut check, Pointer::CreatedAt, raw.created_at)
        .and_then(|text| check.timestamp(text.parse::<Timestamp>()));
    let reason = optional_text(&mut check, Pointer::CancellationReason, raw.cancellation_reason);
    let cancellation_reason = check.cancellation_reason(reason.as_deref());
    let facts = move || {
        Some(Facts {
            location_id: location_id?,
            room_number,
            gps_coordinates: gps_coordinates?,
            is_anonymous: is_anonymous?,
            created_at: created_at?,
        })
    };
    check.finish(facts(), cancellation_reason)
}

fn required_text(check: &mut Check, pointer: Pointer, value: Option<Scalar>) -> Option<String> {
    match value {
        Some(Scalar::Text(text)) => Some(text),
        Some(_) => check.fail(pointer, Code::Type),
        None => check.fail(pointer, Code::Required),
    }
}

fn optional_text(check: &mut Check, pointer: Pointer, value: Option<Scalar>) -> Option<String> {
    match value {
        Some(Scalar::Text(text)) => Some(text),
        Some(Scalar::Null) | None => None,
        Some(_) => check.fail(pointer, Code::Type),
    }
}

fn judge_bool(check: &mut Check, pointer: Pointer, value: Option<&Scalar>) -> Option<bool> {
    match value {
        Some(Scalar::Bool(value)) => Some(*value),
        Some(_) => check.fail(pointer, Code::Type),
        None => check.fail(pointer, Code::Required),
    }
}

fn judge_point(check: &mut Check, point: Option<Point>) -> Option<Coordinates> {
    let Some(point) = point else { return check.fail(Pointer::GpsCoordinates, Code::Required) };
    if !point.is_object {
        return check.fail(Pointer::GpsCoordinates, Code::Type);
    }
    let kind = required_text(check, Pointer::PointType, point.kind).and_then(|kind| {
        if kind == "Point" { Some(()) } else { check.fail(Pointer::PointType, Code::UnknownValue) }
    });
    let Some(coordinates) = point.coordinates else {
        return check.fail(Pointer::Coordinates, Code::Required);
    };
    let Some([longitude, latitude]) = coordinates.pair else {
        return check.fail(Pointer::Coordinates, Code::Type);
    };
    let coordinates = check.coordinates(number(&longitude), number(&latitude));
    kind.and(coordinates)
}

fn number(value: &Scalar) -> Result<f64, Code> {
    if let Scalar::Number(number) = value { Ok(*number) } else { Err(Code::Type) }
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
