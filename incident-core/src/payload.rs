//! The payload of a sync: always valid, with one canonical encoding.

use serde::{Serialize, Serializer};

use crate::{
    CancellationReason, Code, Coordinates, Field, LocationId, Pointer, RoomNumber, TextError, Timestamp,
    TimestampError, Violation,
};

/// What a report says and never changes: all of a payload but the cancellation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Facts {
    /// Where it happened.
    pub location_id: LocationId,
    /// The room, if there is one.
    pub room_number: Option<RoomNumber>,
    /// The place on earth.
    pub gps_coordinates: Coordinates,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// When it was reported, by the phone's clock.
    pub created_at: Timestamp,
}

impl Facts {
    /// The moment that the server writes down for something that it heard at `now`: of an anonymous incident only
    /// the minute, so that nothing else that the server received then tells who reported.
    pub(crate) fn recorded_at(&self, now: Timestamp) -> Timestamp {
        if self.is_anonymous { now.to_the_minute() } else { now }
    }

    /// The fields in which `other` differs, in the order of the payload.
    pub fn differences(&self, other: &Self) -> Vec<Field> {
        [
            (Field::LocationId, self.location_id != other.location_id),
            (Field::RoomNumber, self.room_number != other.room_number),
            (Field::GpsCoordinates, self.gps_coordinates != other.gps_coordinates),
            (Field::IsAnonymous, self.is_anonymous != other.is_anonymous),
            (Field::CreatedAt, self.created_at != other.created_at),
        ]
        .into_iter()
        .filter_map(|(field, differs)| differs.then_some(field))
        .collect()
    }
}

/// A valid payload: create, or create and cancel in one step.
///
/// Two payloads are equal exactly when their canonical texts are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncPayload {
    /// What is reported.
    pub facts: Facts,
    /// Why it was called off, if it was.
    pub cancellation_reason: Option<CancellationReason>,
}

/// A payload in the making, as an app's form gives it: nothing is checked yet.
#[derive(Clone, PartialEq)]
pub struct Draft {
    /// 1 to 128 characters once trimmed.
    pub location_id: String,
    /// 1 to 64 characters once trimmed; blank means absent.
    pub room_number: Option<String>,
    /// Degrees, −180 to 180.
    pub longitude: f64,
    /// Degrees, −90 to 90.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// When it is reported, in ms since 1970; now if absent. Outside 1970 to 9999 it is a violation like any other.
    pub created_at_ms: Option<i64>,
    /// 1 to 1000 characters once trimmed; blank is an error, never a creation.
    pub cancellation_reason: Option<String>,
}

impl Draft {
    /// A named report of now with nothing that is optional: the one place that says what a draft is without it.
    pub fn new(location_id: impl Into<String>, longitude: f64, latitude: f64) -> Self {
        Self {
            location_id: location_id.into(),
            room_number: None,
            longitude,
            latitude,
            is_anonymous: false,
            created_at_ms: None,
            cancellation_reason: None,
        }
    }
}

impl SyncPayload {
    /// Checks a draft by the rules that [`decode`](crate::decode) applies to text; `now_ms` stands in for an absent
    /// moment.
    ///
    /// # Errors
    /// Every violation at once, in the order of the fields.
    pub fn from_draft(draft: &Draft, now_ms: i64) -> Result<Self, Vec<Violation>> {
        let mut check = Check::default();
        let location_id = check.text(Pointer::LocationId, LocationId::parse(&draft.location_id));
        let room_number = check.room_number(draft.room_number.as_deref());
        let gps_coordinates = check.coordinates(Ok(draft.longitude), Ok(draft.latitude));
        let created_at = check.timestamp(Timestamp::from_unix_ms(draft.created_at_ms.unwrap_or(now_ms)));
        let cancellation_reason = check.cancellation_reason(draft.cancellation_reason.as_deref());
        let facts = move || {
            Some(Facts {
                location_id: location_id?,
                room_number,
                gps_coordinates: gps_coordinates?,
                is_anonymous: draft.is_anonymous,
                created_at: created_at?,
            })
        };
        check.finish(facts(), cancellation_reason)
    }

    /// How many bytes its texts have, which are all that it holds outside itself.
    pub fn text_bytes(&self) -> usize {
        let facts = &self.facts;
        facts.location_id.as_str().len()
            + facts.room_number.as_ref().map_or(0, |room| room.as_str().len())
            + self.cancellation_reason.as_ref().map_or(0, |reason| reason.as_str().len())
    }

    /// The canonical text: fields in the order of the contract, absent ones left out, no white space.
    ///
    /// ```
    /// let text = br#"{ "isAnonymous": true, "createdAt": "2026-11-22T10:15Z", "locationId": " gate ",
    ///     "gpsCoordinates": {"coordinates": [1e1, -0.0], "type": "Point"} }"#;
    /// let canonical = r#"{"locationId":"gate","gpsCoordinates":{"type":"Point","coordinates":[10.0,0.0]},"isAnonymous":true,"createdAt":"2026-11-22T10:15:00.000Z"}"#;
    /// assert_eq!(incident_core::decode(text)?.payload.to_canonical_json(), canonical);
    /// # Ok::<(), incident_core::DecodeError>(())
    /// ```
    ///
    /// # Panics
    /// Never: every part of a valid payload has a JSON form.
    pub fn to_canonical_json(&self) -> String {
        serde_json::to_string(self).expect("a valid payload serialises")
    }
}

/// Serialises as a part of the canonical text, and of what callers see of an incident.
impl Serialize for Facts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Canonical<'a> {
            location_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            room_number: Option<&'a str>,
            gps_coordinates: Coordinates,
            is_anonymous: bool,
            created_at: Timestamp,
        }
        Canonical {
            location_id: self.location_id.as_str(),
            room_number: self.room_number.as_ref().map(RoomNumber::as_str),
            gps_coordinates: self.gps_coordinates,
            is_anonymous: self.is_anonymous,
            created_at: self.created_at,
        }
        .serialize(serializer)
    }
}

impl Serialize for SyncPayload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Canonical<'a> {
            #[serde(flatten)]
            facts: &'a Facts,
            #[serde(skip_serializing_if = "Option::is_none")]
            cancellation_reason: Option<&'a str>,
        }
        let reason = self.cancellation_reason.as_ref();
        Canonical { facts: &self.facts, cancellation_reason: reason.map(CancellationReason::as_str) }
            .serialize(serializer)
    }
}

/// Collects violations while the parts of a payload are parsed.
#[derive(Default)]
pub(crate) struct Check {
    violations: Vec<Violation>,
}

impl Check {
    pub(crate) fn fail<T>(&mut self, pointer: Pointer, code: Code) -> Option<T> {
        self.violations.push(Violation { pointer, code });
        None
    }

    pub(crate) fn text<T>(&mut self, pointer: Pointer, parsed: Result<T, TextError>) -> Option<T> {
        let broken = |error: TextError| error.codes.into_iter().map(move |code| Violation { pointer, code });
        parsed.map_err(|error| self.violations.extend(broken(error))).ok()
    }

    pub(crate) fn timestamp(&mut self, parsed: Result<Timestamp, TimestampError>) -> Option<Timestamp> {
        parsed.ok().or_else(|| self.fail(Pointer::CreatedAt, Code::Timestamp))
    }

    /// A blank room is no room.
    pub(crate) fn room_number(&mut self, text: Option<&str>) -> Option<RoomNumber> {
        let given = text.filter(|text| !text.trim().is_empty())?;
        self.text(Pointer::RoomNumber, RoomNumber::parse(given))
    }

    /// A blank reason is refused: taken for no reason it would turn a cancellation into a creation.
    pub(crate) fn cancellation_reason(&mut self, text: Option<&str>) -> Option<CancellationReason> {
        self.text(Pointer::CancellationReason, CancellationReason::parse(text?))
    }

    /// An axis that is no number does not keep the range of the other from being checked.
    pub(crate) fn coordinates(
        &mut self,
        longitude: Result<f64, Code>,
        latitude: Result<f64, Code>,
    ) -> Option<Coordinates> {
        let found = Coordinates::from_degrees(longitude.unwrap_or(0.0), latitude.unwrap_or(0.0));
        let inside = found.err().unwrap_or((Ok(()), Ok(())));
        let longitude = self.keep(Pointer::Longitude, longitude.and(inside.0));
        let latitude = self.keep(Pointer::Latitude, latitude.and(inside.1));
        longitude.and(latitude).and(found.ok())
    }

    fn keep<T>(&mut self, pointer: Pointer, judged: Result<T, Code>) -> Option<T> {
        judged.map_err(|code| self.violations.push(Violation { pointer, code })).ok()
    }

    /// The payload, if nothing was violated.
    pub(crate) fn finish(
        self,
        facts: Option<Facts>,
        cancellation_reason: Option<CancellationReason>,
    ) -> Result<SyncPayload, Vec<Violation>> {
        match facts {
            Some(facts) if self.violations.is_empty() => Ok(SyncPayload { facts, cancellation_reason }),
            _ => Err(self.violations),
        }
    }
}
