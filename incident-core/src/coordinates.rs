//! A place on earth as two integers, so that equality never meets a float.

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::Code;

const PER_DEGREE: f64 = 1e7;

/// Longitude and latitude in WGS 84, kept as integers of 1e-7 degrees (1.1 cm at the equator).
///
/// Serialises as a GeoJSON Point (RFC 7946, section 3.1.2): longitude first.
///
/// ```
/// use incident_core::Coordinates;
/// let here = Coordinates::from_degrees(12.4924, 41.8902).unwrap();
/// assert_eq!(serde_json::to_string(&here)?, r#"{"type":"Point","coordinates":[12.4924,41.8902]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Coordinates {
    longitude_e7: i32,
    latitude_e7: i32,
}

impl Coordinates {
    /// The greatest longitude in degrees, east or west.
    pub const MAX_LONGITUDE: f64 = 180.0;
    /// The greatest latitude in degrees, north or south.
    pub const MAX_LATITUDE: f64 = 90.0;

    /// Reads degrees: `x * 1e7` as a double, rounded half away from zero, then range-checked.
    ///
    /// # Errors
    /// One result for each axis, longitude first, where at least one lies outside its range; a value
    /// that is not a number counts as outside.
    #[expect(clippy::type_complexity, reason = "each axis is judged apart: both may be wrong")]
    pub fn from_degrees(longitude: f64, latitude: f64) -> Result<Self, (Result<(), Code>, Result<(), Code>)> {
        match (scale(longitude, Self::MAX_LONGITUDE), scale(latitude, Self::MAX_LATITUDE)) {
            (Ok(longitude_e7), Ok(latitude_e7)) => Ok(Self { longitude_e7, latitude_e7 }),
            (longitude, latitude) => Err((longitude.map(drop), latitude.map(drop))),
        }
    }

    /// Takes the integers back that [`longitude_e7`](Self::longitude_e7) and
    /// [`latitude_e7`](Self::latitude_e7) gave; `None` where one lies outside its range.
    pub fn from_e7(longitude_e7: i32, latitude_e7: i32) -> Option<Self> {
        let inside = f64::from(longitude_e7).abs() <= Self::MAX_LONGITUDE * PER_DEGREE
            && f64::from(latitude_e7).abs() <= Self::MAX_LATITUDE * PER_DEGREE;
        inside.then_some(Self { longitude_e7, latitude_e7 })
    }

    /// Stored integers, as they are; see `stored.rs`.
    pub(crate) fn believed(longitude_e7: i32, latitude_e7: i32) -> Self {
        Self { longitude_e7, latitude_e7 }
    }

    /// Longitude in 1e-7 degrees, −1,800,000,000 to 1,800,000,000.
    pub fn longitude_e7(self) -> i32 {
        self.longitude_e7
    }

    /// Latitude in 1e-7 degrees, −900,000,000 to 900,000,000.
    pub fn latitude_e7(self) -> i32 {
        self.latitude_e7
    }

    /// Longitude in degrees: the double nearest to the kept integer.
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude_e7) / PER_DEGREE
    }

    /// Latitude in degrees: the double nearest to the kept integer.
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude_e7) / PER_DEGREE
    }
}

fn scale(degrees: f64, max: f64) -> Result<i32, Code> {
    let scaled = (degrees * PER_DEGREE).round();
    #[expect(
        clippy::cast_possible_truncation,
        reason = "inside ±1.8e9 every rounded double is an i32; NaN fails"
    )]
    if scaled.abs() <= max * PER_DEGREE { Ok(scaled as i32) } else { Err(Code::OutOfRange) }
}

impl Serialize for Coordinates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut point = serializer.serialize_struct("Point", 2)?;
        point.serialize_field("type", "Point")?;
        point.serialize_field("coordinates", &[self.longitude(), self.latitude()])?;
        point.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_a_number_is_out_of_range_on_its_own_axis() {
        assert_eq!(Coordinates::from_degrees(f64::NAN, 1.0), Err((Err(Code::OutOfRange), Ok(()))));
        assert_eq!(Coordinates::from_degrees(0.0, f64::INFINITY), Err((Ok(()), Err(Code::OutOfRange))));
    }

    #[test]
    fn integers_outside_the_earth_are_not_taken_back() {
        assert!(Coordinates::from_e7(1_800_000_000, -900_000_000).is_some());
        assert!(Coordinates::from_e7(1_800_000_001, 0).is_none());
        assert!(Coordinates::from_e7(0, i32::MIN).is_none());
    }
}
