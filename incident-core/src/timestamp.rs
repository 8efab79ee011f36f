//! A moment in milliseconds since 1970, read from the ISO 8601 forms that phones really write.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, SecondsFormat};
use serde::{Serialize, Serializer};

/// A moment between 1970-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z, to the millisecond.
///
/// Reads `YYYY-MM-DDThh:mm[:ss[.fff…]]` with `Z`, `±hh:mm`, `±hhmm` or `±hh` (a profile of ISO 8601-1 that
/// holds RFC 3339, section 5.6); fractions of 1 to 9 digits are cut, not rounded. Writes UTC with three
/// decimals and `Z`, always.
///
/// ```
/// use incident_core::Timestamp;
/// let moment: Timestamp = "2026-11-22T11:15:30,1209999+01:00".parse()?;
/// assert_eq!(moment.to_string(), "2026-11-22T10:15:30.120Z");
/// assert_eq!(moment.unix_ms(), 1_795_342_530_120);
/// # Ok::<(), incident_core::TimestampError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

/// The text is no such date-time, or its moment lies outside the years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no ISO 8601 date-time with an offset between 1970 and 9999")]
pub struct TimestampError;

impl Timestamp {
    /// What a text must be to be read as one, for people.
    pub const RULE: &str = "an ISO 8601 date-time with an offset, such as 2026-11-22T10:15:30.120Z: a day that exists, \
                            years 1970 to 9999 in UTC, hours to 23, seconds to 59";
    /// 1970-01-01T00:00:00.000Z.
    pub const MIN: Self = Self(0);
    /// 9999-12-31T23:59:59.999Z.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// Takes milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
    ///
    /// # Errors
    /// Outside [`MIN`](Self::MIN) to [`MAX`](Self::MAX).
    pub fn from_unix_ms(unix_ms: i64) -> Result<Self, TimestampError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&unix_ms) { Ok(Self(unix_ms)) } else { Err(TimestampError) }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.0
    }

    /// The moment cut, not rounded, to its minute (UTC).
    #[must_use]
    pub fn to_the_minute(self) -> Self {
        Self(self.0 - self.0 % 60_000)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        let unix_ms = Cursor(text.as_bytes()).date_time().ok_or(TimestampError)?;
        Self::from_unix_ms(unix_ms)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = DateTime::from_timestamp_millis(self.0).ok_or(fmt::Error)?;
        f.write_str(&moment.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What is still to be read. The grammar is checked here, because `chrono`'s own parsers take more than
/// is allowed (a space, `UTC`, `:60`, unpadded fields); `chrono` then knows the calendar.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn date_time(mut self) -> Option<i64> {
        let year = self.digits(4)?;
        self.one_of(b"-")?;
        let month = self.digits(2)?;
        self.one_of(b"-")?;
        let day = self.digits(2)?;
        self.one_of(b"Tt")?;
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        let (second, ms) = self.second()?;
        let offset_minutes = self.offset()?;
        let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
        let local = date.and_hms_milli_opt(hour, minute, second, ms)?;
        self.0.is_empty().then(|| local.and_utc().timestamp_millis() - offset_minutes * 60_000)
    }

    fn second(&mut self) -> Option<(u32, u32)> {
        if self.one_of(b":").is_none() {
            return Some((0, 0));
        }
        let second = self.digits(2)?;
        let ms = if self.one_of(b".,").is_some() { self.fraction_ms()? } else { 0 };
        Some((second, ms))
    }

    fn fraction_ms(&mut self) -> Option<u32> {
        let digits = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
        if !(1..=9).contains(&digits) {
            return None;
        }
        let (fraction, rest) = self.0.split_at(digits);
        self.0 = rest;
        let tenths = fraction.iter().chain(b"00").take(3);
        Some(tenths.fold(0, |ms, digit| ms * 10 + u32::from(digit - b'0')))
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.one_of(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Some(0),
        };
        let hours = self.digits(2)?;
        let minutes = match (self.one_of(b":"), self.0.is_empty()) {
            (None, true) => 0,
            _ => self.digits(2)?,
        };
        (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 60 + minutes))
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        head.iter().try_fold(0, |value, b| b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0')))
    }

    fn one_of(&mut self, allowed: &[u8]) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        allowed.contains(first).then(|| {
            self.0 = rest;
            *first
        })
    }
}
