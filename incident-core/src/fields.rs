//! The fields of a payload: what they are called, what stands in them, and how much of it. Once.

use crate::{Coordinates, text::text_type, words::words};

text_type!(
    /// Where it happened: a ward, a gate, a building. 1 to 128 characters.
    LocationId, 128, &[]
);
text_type!(
    /// The room, if there is one. 1 to 64 characters.
    RoomNumber, 64, &[]
);
text_type!(
    /// Why the report was called off. 1 to 1000 characters; line feed and tab may stand in it.
    CancellationReason, 1000, &['\n', '\t']
);

words! {
    /// A field that two payloads of one incident may disagree about.
    Field {
        /// `locationId`
        LocationId = "locationId",
        /// `roomNumber`
        RoomNumber = "roomNumber",
        /// `gpsCoordinates`
        GpsCoordinates = "gpsCoordinates",
        /// `isAnonymous`
        IsAnonymous = "isAnonymous",
        /// `createdAt`
        CreatedAt = "createdAt",
    }
}

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

impl Pointer {
    /// The JSON type that stands there.
    pub(crate) const fn expected_type(self) -> &'static str {
        match self {
            Self::Document => "a JSON object",
            Self::GpsCoordinates => "a GeoJSON Point object",
            Self::Coordinates => "an array of exactly two numbers, longitude and latitude",
            Self::Longitude | Self::Latitude => "a number",
            Self::IsAnonymous => "true or false",
            Self::Incidents => "an array of payloads",
            Self::IdempotencyKeys => "an array of keys or null, as long as incidents",
            Self::LocationId
            | Self::RoomNumber
            | Self::PointType
            | Self::CreatedAt
            | Self::CancellationReason => "a string",
        }
    }

    /// How long the text there may be, and how far the number may go: what bounds nothing has no limit.
    pub(crate) fn limit(self) -> String {
        match self {
            Self::LocationId => LocationId::MAX_CHARS.to_string(),
            Self::RoomNumber => RoomNumber::MAX_CHARS.to_string(),
            Self::CancellationReason => CancellationReason::MAX_CHARS.to_string(),
            Self::Longitude => {
                format!("-{0} and {0} degrees (longitude comes first)", Coordinates::MAX_LONGITUDE)
            }
            Self::Latitude => format!("-{0} and {0} degrees", Coordinates::MAX_LATITUDE),
            _ => String::new(),
        }
    }
}
