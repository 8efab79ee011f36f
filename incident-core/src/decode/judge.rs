//! The fields of a payload in a text: their names on the wire, and what is asked of them.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::raw::{Pair, Scalar, object, otherwise, read, skip};
use crate::{
    Code, Coordinates, Facts, LocationId, Pointer, SyncPayload, Timestamp, Violation, payload::Check,
};

object!(Point {
    kind: Scalar = "type" at Pointer::PointType,
    coordinates: Pair = "coordinates" at Pointer::Coordinates,
});

object!(RawPayload {
    location_id: Scalar = "locationId" at Pointer::LocationId,
    room_number: Scalar = "roomNumber" at Pointer::RoomNumber,
    gps_coordinates: Point = "gpsCoordinates" at Pointer::GpsCoordinates,
    is_anonymous: Scalar = "isAnonymous" at Pointer::IsAnonymous,
    created_at: Scalar = "createdAt" at Pointer::CreatedAt,
    cancellation_reason: Scalar = "cancellationReason" at Pointer::CancellationReason,
});

/// The payload, or every rule that what came breaks.
pub(crate) fn judge(raw: RawPayload) -> Result<SyncPayload, Vec<Violation>> {
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
