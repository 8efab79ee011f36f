//! What is wrong with a payload: where, and which rule it breaks. Never what it says.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{CancellationReason, Coordinates, LocationId, RoomNumber};

/// The rule that a field breaks, as it stands in `errors[].code` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// The field is missing.
    Required,
    /// The field has another JSON type than it must have.
    Type,
    /// The text is empty once white space at both ends is taken off.
    Blank,
    /// The text has more characters (Unicode scalar values) than allowed.
    TooLong,
    /// The text holds a control character (U+0000–U+001F or U+007F) where none may be.
    ControlCharacter,
    /// The number lies outside its range.
    OutOfRange,
    /// The text is no ISO 8601 date-time with an offset between 1970 and 9999.
    Timestamp,
    /// The field is given more than once.
    DuplicateField,
    /// The text is none of the words that are allowed here.
    UnknownValue,
}

impl Code {
    /// Every code, for documentation and for bindings.
    pub const ALL: [Self; 9] = [
        Self::Required,
        Self::Type,
        Self::Blank,
        Self::TooLong,
        Self::ControlCharacter,
        Self::OutOfRange,
        Self::Timestamp,
        Self::DuplicateField,
        Self::UnknownValue,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Type => "type",
            Self::Blank => "blank",
            Self::TooLong => "too-long",
            Self::ControlCharacter => "control-character",
            Self::OutOfRange => "out-of-range",
            Self::Timestamp => "timestamp",
            Self::DuplicateField => "duplicate-field",
            Self::UnknownValue => "unknown-value",
        }
    }
}

/// One broken rule of one field.
///
/// Serialises as `{"pointer": …, "code": …, "detail": …}`, the shape of `errors[]` in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Violation {
    /// Where: a JSON Pointer (RFC 6901) into the payload, `""` for the payload itself.
    pub pointer: &'static str,
    /// Which rule.
    pub code: Code,
}

impl Violation {
    /// What to do about it, for people. Names the field and its limit, never its value.
    pub fn detail(&self) -> String {
        let field = self.pointer.strip_prefix('/').unwrap_or("the document").replace('/', ".");
        match self.code {
            Code::Required => format!("{field} is missing"),
            Code::Type => format!("{field} must be {}", expected_type(self.pointer)),
            Code::Blank => format!("{field} must not be blank"),
            Code::TooLong => format!("{field} must have at most {} characters", max_chars(self.pointer)),
            Code::ControlCharacter => format!("{field} must not hold control characters"),
            Code::OutOfRange => format!("{field} must lie between {}", range(self.pointer)),
            Code::Timestamp => {
                format!(
                    "{field} must be an ISO 8601 date-time with an offset, such as 2026-11-22T10:15:30.120Z"
                )
            }
            Code::DuplicateField => format!("{field} is given more than once"),
            Code::UnknownValue => format!("{field} must be \"Point\""),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl Serialize for Violation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Violation", 3)?;
        out.serialize_field("pointer", self.pointer)?;
        out.serialize_field("code", self.code.as_str())?;
        out.serialize_field("detail", &self.detail())?;
        out.end()
    }
}

fn expected_type(pointer: &str) -> &'static str {
    match pointer {
        "" => "a JSON object",
        "/gpsCoordinates" => "a GeoJSON Point object",
        "/gpsCoordinates/coordinates" => "an array of exactly two numbers, longitude and latitude",
        "/gpsCoordinates/coordinates/0" | "/gpsCoordinates/coordinates/1" => "a number",
        "/isAnonymous" => "true or false",
        "/incidents" => "an array of payloads",
        "/idempotencyKeys" => "an array of keys or null, as long as incidents",
        _ => "a string",
    }
}

fn max_chars(pointer: &str) -> usize {
    match pointer {
        "/roomNumber" => RoomNumber::MAX_CHARS,
        "/cancellationReason" => CancellationReason::MAX_CHARS,
        _ => LocationId::MAX_CHARS,
    }
}

fn range(pointer: &str) -> String {
    if pointer.ends_with("/0") {
        format!("-{0} and {0} degrees (longitude comes first)", Coordinates::MAX_LONGITUDE)
    } else {
        format!("-{0} and {0} degrees", Coordinates::MAX_LATITUDE)
    }
}
