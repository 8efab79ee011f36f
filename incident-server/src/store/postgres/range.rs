//! The range of time, and so of ids, that a partition holds.

use std::fmt;

use chrono::{DateTime, Months, Utc};
use incident_core::{IncidentId, Timestamp};

/// A range of this many months or fewer is counted in months.
const MOST_MONTHS: u32 = 120;

/// From one moment to another: the ids that a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    pub(super) begin: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Range {
    /// Of what PostgreSQL says of a partition: `FOR VALUES FROM ('0181…') TO ('0185…')`. The DEFAULT partition has no
    /// bounds, the first one no beginning.
    pub(super) fn parse(bounds: &str) -> Option<Self> {
        let (begin, end) = bounds.strip_prefix("FOR VALUES FROM ('")?.split_once("') TO ('")?;
        Some(Self { begin: moment(begin)?, end: moment(end)? })
    }

    /// As long as this one, behind it.
    pub(super) fn next(self) -> Option<Self> {
        let is_long_as = |months: &u32| self.begin.checked_add_months(Months::new(*months)) == Some(self.end);
        let end = match (1..=MOST_MONTHS).find(is_long_as) {
            Some(months) => self.end.checked_add_months(Months::new(months)),
            None => self.end.checked_add_signed(self.end - self.begin),
        };
        Some(Self { begin: self.end, end: end? })
    }

    /// The first id in it and the first behind it.
    pub(super) fn ids(self) -> Option<(IncidentId, IncidentId)> {
        let id = |moment: DateTime<Utc>| {
            Timestamp::from_unix_ms(moment.timestamp_millis()).ok().map(IncidentId::first_at)
        };
        Some((id(self.begin)?, id(self.end)?))
    }
}

/// An id begins with its moment: 48 bits of milliseconds.
fn moment(id: &str) -> Option<DateTime<Utc>> {
    let id: String = id.chars().filter(char::is_ascii_hexdigit).take(12).collect();
    DateTime::from_timestamp_millis(i64::from_str_radix(&id, 16).ok()?)
}

/// As it stands in the names of the partitions.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from_{}", self.begin.format("%Y_%m_%d"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(begin: &str, end: &str) -> Range {
        let day = |text| format!("{text}T00:00:00Z").parse().unwrap();
        Range { begin: day(begin), end: day(end) }
    }

    #[test]
    fn a_range_is_read_from_what_postgresql_says() {
        let half_year = "FOR VALUES FROM ('0181b70e-a800-0000-0000-000000000000') TO ('01856aa0-c800-0000-0000-000000000000')";
        assert_eq!(Range::parse(half_year), Some(range("2022-07-01", "2023-01-01")));
        for other in ["DEFAULT", "FOR VALUES FROM (MINVALUE) TO ('0181b70e-a800-0000-0000-000000000000')", ""]
        {
            assert_eq!(Range::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_next_range_is_as_long_by_the_calendar() {
        let next = |begin, end| range(begin, end).next();
        assert_eq!(next("2026-07-01", "2027-01-01"), Some(range("2027-01-01", "2027-07-01")));
        assert_eq!(next("2027-01-01", "2028-01-01"), Some(range("2028-01-01", "2029-01-01")));
        assert_eq!(next("2026-07-01", "2026-07-11"), Some(range("2026-07-11", "2026-07-21")));
        assert_eq!(range("2027-01-01", "2027-07-01").to_string(), "from_2027_01_01");
    }
}
