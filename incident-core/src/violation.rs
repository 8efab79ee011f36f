//! What is wrong with a payload: where, and which rule it breaks. Never what it says.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{CancellationReason, Code, Coordinates, LocationId, RoomNumber, words::words};

words! {
    /// Where a rule may be broken: a JSON Pointer (RFC 6901) into a payload, or into the envelope of a batch.
    Pointer {
        /// The document itself.
        Document = "",
        /// `locationId`
        LocationId = "/locationId",
        /// `roomNumber`
        RoomNumber = "/roomNumber",
        /// `gpsCoordinates`
        GpsCoordinates = "/gpsCoordinates",
        /// The kind of geometry.
        PointType = "/gpsCoordinates/type",
        /// Longitude and latitude.
        Coordinates = "/gpsCoordinates/coordinates",
        /// The longitude.
        Longitude = "/gpsCoordinates/coordinates/0",
        /// The latitude.
        Latitude = "/gpsCoordinates/coordinates/1",
        /// `isAnonymous`
        IsAnonymous = "/isAnonymous",
        /// `createdAt`
        CreatedAt = "/createdAt",
        /// `cancellationReason`
        CancellationReason = "/cancellationReason",
        /// The payloads of a batch.
        Incidents = "/incidents",
        /// The keys of a batch.
        IdempotencyKeys = "/idempotencyKeys",
    }
}

/// One broken rule of one field.
///
/// Serialises as `{"pointer": …, "code": …, "detail": …}`, the shape of `errors[]` in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Violation {
    /// Where.
    pub pointer: Pointer,
    /// Which rule.
    pub code: Code,
}

impl Violation {
    /// What to do about it, for people. Names the field and its limit, never its value.
    pub fn detail(&self) -> String {
        let field = self.pointer.as_str().strip_prefix('/').unwrap_or("the document").replace('/', ".");
        match self.code {
            Code::Required => format!("{field} is missing"),
            Code::Type => format!("{field} must be {}", expected_type(self.pointer)),
            Code::Blank => format!("{field} must not be blank"),
            Code::TooLong => format!("{field} must have at most {} characters", limit(self.pointer)),
            Code::ControlCharacter => format!("{field} must not hold control characters"),
            Code::OutOfRange => format!("{field} must lie between {}", limit(self.pointer)),
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
        out.serialize_field("pointer", &self.pointer)?;
        out.serialize_field("code", &self.code)?;
        out.serialize_field("detail", &self.detail())?;
        out.end()
    }
}

/// The JSON type that stands there.
const fn expected_type(pointer: Pointer) -> &'static str {
    match pointer {
        Pointer::Document => "a JSON object",
        Pointer::GpsCoordinates => "a GeoJSON Point object",
        Pointer::Coordinates => "an array of exactly two numbers, longitude and latitude",
        Pointer::Longitude | Pointer::Latitude => "a number",
        Pointer::IsAnonymous => "true or false",
        Pointer::Incidents => "an array of payloads",
        Pointer::IdempotencyKeys => "an array of keys or null, as long as incidents",
        Pointer::LocationId
        | Pointer::RoomNumber
        | Pointer::PointType
        | Pointer::CreatedAt
        | Pointer::CancellationReason => "a string",
    }
}

/// How long the text there may be, and how far the number may go: what bounds nothing has no limit.
fn limit(pointer: Pointer) -> String {
    match pointer {
        Pointer::LocationId => LocationId::MAX_CHARS.to_string(),
        Pointer::RoomNumber => RoomNumber::MAX_CHARS.to_string(),
        Pointer::CancellationReason => CancellationReason::MAX_CHARS.to_string(),
        Pointer::Longitude => {
            format!("-{0} and {0} degrees (longitude comes first)", Coordinates::MAX_LONGITUDE)
        }
        Pointer::Latitude => format!("-{0} and {0} degrees", Coordinates::MAX_LATITUDE),
        _ => String::new(),
    }
}
