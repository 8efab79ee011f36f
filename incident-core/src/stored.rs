//! What a database holds, taken back: the one door that trusts.
//!
//! Rules are applied to what comes in, once. What is stored is believed, whoever wrote it: a rule that is stricter
//! today, a hand in the database or a text that was made unreadable for privacy must not hide a report. So only types
//! are asked for here: a moment that can be written, a word that is known.

use crate::{
    Cancellation, CancellationReason, Change, Coordinates, Event, EventKind, Facts, Incident, LocationId,
    RoomNumber, State, Stored, Timestamp, Tombstone,
};

/// A column holds what is no value of its type; named as the column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the column {0} holds no value of its type")]
pub struct ColumnError(pub &'static str);

/// The columns of an incident, as a database gives them.
#[derive(Debug, Clone)]
pub struct IncidentColumns {
    /// Where it happened.
    pub location_id: String,
    /// The room, if there is one.
    pub room_number: Option<String>,
    /// In 1e-7 degrees.
    pub longitude_e7: i32,
    /// In 1e-7 degrees.
    pub latitude_e7: i32,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// In milliseconds since 1970.
    pub created_at_ms: i64,
    /// In milliseconds since 1970.
    pub received_at_ms: i64,
    /// Whether `created_at_ms` was implausible at reception.
    pub clock_suspect: bool,
    /// In milliseconds since 1970. This column alone says whether the incident is cancelled.
    pub cancelled_at_ms: Option<i64>,
    /// The first reason; where it was taken away, the incident is cancelled for an empty one.
    pub cancellation_reason: Option<String>,
    /// In milliseconds since 1970. This column alone says whether the incident was erased; then no other one but
    /// `created_at_ms` is looked at.
    pub erased_at_ms: Option<i64>,
}

impl IncidentColumns {
    /// The incident, or what is left of it; `restated` are the further reasons of its history, oldest first.
    ///
    /// # Errors
    /// The first column that holds no value of its type.
    pub fn stored(self, restated: Vec<String>) -> Result<Stored, ColumnError> {
        let Some(erased_at_ms) = self.erased_at_ms else { return Ok(self.incident(restated)?.into()) };
        let created_at = moment("created_at_ms", self.created_at_ms)?;
        Ok(Tombstone { created_at, erased_at: moment("erased_at_ms", erased_at_ms)? }.into())
    }

    fn incident(self, restated: Vec<String>) -> Result<Incident, ColumnError> {
        let state = match self.cancelled_at_ms {
            None => State::Open,
            Some(at) => State::Cancelled(Cancellation {
                at: moment("cancelled_at_ms", at)?,
                reason: reason(self.cancellation_reason),
                restated: restated.into_iter().map(CancellationReason::believed).collect(),
            }),
        };
        Ok(Incident {
            facts: Facts {
                location_id: LocationId::believed(self.location_id),
                room_number: self.room_number.map(RoomNumber::believed),
                gps_coordinates: Coordinates::believed(self.longitude_e7, self.latitude_e7),
                is_anonymous: self.is_anonymous,
                created_at: moment("created_at_ms", self.created_at_ms)?,
            },
            received_at: moment("received_at_ms", self.received_at_ms)?,
            clock_suspect: self.clock_suspect,
            state,
        })
    }
}

/// The columns of a row of the history, as a database gives them.
#[derive(Debug, Clone)]
pub struct EventColumns {
    /// An [`EventKind`].
    pub kind: String,
    /// In milliseconds since 1970.
    pub at_ms: i64,
    /// The reason of a cancellation; where it was taken away, it is an empty one.
    pub cancellation_reason: Option<String>,
}

impl EventColumns {
    /// The event.
    ///
    /// # Errors
    /// The first column that holds no value of its type.
    pub fn event(self) -> Result<Event, ColumnError> {
        let change = match self.kind.parse().map_err(|_| ColumnError("kind"))? {
            EventKind::Created => Change::Created,
            EventKind::Cancelled => Change::Cancelled(reason(self.cancellation_reason)),
            EventKind::CancellationRestated => Change::CancellationRestated(reason(self.cancellation_reason)),
            EventKind::Erased => Change::Erased,
        };
        Ok(Event { at: moment("at_ms", self.at_ms)?, change })
    }
}

fn moment(column: &'static str, unix_ms: i64) -> Result<Timestamp, ColumnError> {
    Timestamp::from_unix_ms(unix_ms).map_err(|_| ColumnError(column))
}

fn reason(text: Option<String>) -> CancellationReason {
    CancellationReason::believed(text.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Status;

    fn columns() -> IncidentColumns {
        IncidentColumns {
            location_id: "ward-7".to_owned(),
            room_number: None,
            longitude_e7: 0,
            latitude_e7: 0,
            is_anonymous: false,
            created_at_ms: 0,
            received_at_ms: 0,
            clock_suspect: true,
            cancelled_at_ms: None,
            cancellation_reason: None,
            erased_at_ms: None,
        }
    }

    #[test]
    fn of_an_erased_incident_nothing_but_two_moments_is_looked_at() {
        let erased = IncidentColumns { erased_at_ms: Some(60_000), received_at_ms: i64::MAX, ..columns() };
        let tombstone =
            Tombstone { created_at: Timestamp::MIN, erased_at: Timestamp::from_unix_ms(60_000).unwrap() };
        assert_eq!(erased.stored(Vec::new()), Ok(tombstone.into()));
        let never = IncidentColumns { erased_at_ms: Some(i64::MIN), ..columns() };
        assert_eq!(never.stored(Vec::new()), Err(ColumnError("erased_at_ms")));
        let event = EventColumns { kind: "erased".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(event.event().unwrap().change, Change::Erased);
    }

    #[test]
    fn texts_and_places_that_no_payload_may_have_are_believed() {
        let long = IncidentColumns {
            location_id: "\u{7}".repeat(1000),
            room_number: Some(" ".to_owned()),
            longitude_e7: i32::MIN,
            ..columns()
        };
        let facts = long.incident(Vec::new()).unwrap().facts;
        assert_eq!(facts.location_id.as_str().len(), 1000);
        assert_eq!(facts.room_number.unwrap().as_str(), " ");
        assert_eq!(facts.gps_coordinates.longitude_e7(), i32::MIN);
    }

    #[test]
    fn a_cancellation_whose_reason_was_taken_away_is_still_one() {
        let redacted = IncidentColumns { cancelled_at_ms: Some(1), ..columns() };
        assert_eq!(redacted.incident(Vec::new()).unwrap().state.status(), Status::Cancelled);
        let event = EventColumns { kind: "cancelled".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(event.event().unwrap().change.reason().unwrap().as_str(), "");
    }

    #[test]
    fn what_is_no_moment_or_no_known_word_is_named_by_its_column() {
        let never = IncidentColumns { received_at_ms: i64::MAX, ..columns() };
        assert_eq!(never.incident(Vec::new()), Err(ColumnError("received_at_ms")));
        let unknown = EventColumns { kind: "vanished".to_owned(), at_ms: 1, cancellation_reason: None };
        assert_eq!(unknown.event(), Err(ColumnError("kind")));
    }
}
