//! What a sync does to an incident: the rules, once.
//!
//! State only ever grows: absent, then open, then cancelled, and from any of them erased. So the order in which payloads
//! arrive, and how often, decides nothing about where an incident ends.

use crate::{
    CancellationReason, Facts, Field, Outcome, SyncPayload, Timestamp, tombstone::Tombstone, words::words,
};

/// The most distinct further reasons that the history of one incident keeps.
pub const MAX_RESTATED_REASONS: usize = 16;

const CLOCK_TOLERANCE_MS: i64 = 5 * 60 * 1000;
/// 2020-01-01T00:00:00.000Z: no phone with this code was in use before.
const EARLIEST_PLAUSIBLE_MS: i64 = 1_577_836_800_000;

/// What is stored under an id: an incident, or what is left of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// It is there.
    Kept(Incident),
    /// It was erased; nothing brings it back.
    Erased(Tombstone),
}

/// An incident as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What was reported.
    pub facts: Facts,
    /// When the server first heard of it; of an anonymous incident only the minute.
    pub received_at: Timestamp,
    /// Whether `created_at` was implausible at reception: more than 5 minutes ahead of the server, or before
    /// 2020. Decided once and for all.
    pub clock_suspect: bool,
    /// Open, or cancelled and why.
    pub state: State,
}

/// Where an incident stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Reported, not called off.
    Open,
    /// Called off; there is no way back.
    Cancelled(Cancellation),
}

/// A cancellation as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// When the server recorded it.
    pub at: Timestamp,
    /// The first reason; it stays.
    pub reason: CancellationReason,
    /// Further reasons, distinct, in the order they came, at most [`MAX_RESTATED_REASONS`].
    pub restated: Vec<CancellationReason>,
}

words! {
    /// The word for a [`State`] in `incident.status`.
    Status {
        /// Reported, not called off.
        Open = "Open",
        /// Called off.
        Cancelled = "Cancelled",
    }
}

impl State {
    /// The word for it.
    pub const fn status(&self) -> Status {
        match self {
            Self::Open => Status::Open,
            Self::Cancelled(_) => Status::Cancelled,
        }
    }
}

/// One row of the append-only history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When the server recorded it.
    pub at: Timestamp,
    /// What changed.
    pub change: Change,
}

/// What an [`Event`] records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The incident came into being.
    Created,
    /// It was called off.
    Cancelled(CancellationReason),
    /// It was called off again, for another reason.
    CancellationRestated(CancellationReason),
    /// It was erased; what happened before is told no more.
    Erased,
}

words! {
    /// The word for a [`Change`] in `kind`.
    EventKind {
        /// The incident came into being.
        Created = "created",
        /// It was called off.
        Cancelled = "cancelled",
        /// It was called off again, for another reason.
        CancellationRestated = "cancellationRestated",
        /// It was erased.
        Erased = "erased",
    }
}

impl Change {
    /// The word for it.
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Created => EventKind::Created,
            Self::Cancelled(_) => EventKind::Cancelled,
            Self::CancellationRestated(_) => EventKind::CancellationRestated,
            Self::Erased => EventKind::Erased,
        }
    }

    /// The reason it records, if it is a cancellation.
    pub const fn reason(&self) -> Option<&CancellationReason> {
        match self {
            Self::Created | Self::Erased => None,
            Self::Cancelled(reason) | Self::CancellationRestated(reason) => Some(reason),
        }
    }
}

/// What one payload did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The incident as it is now.
    pub incident: Stored,
    /// The word for what happened.
    pub outcome: Outcome,
    /// What the history gains; empty exactly when nothing changed.
    pub events: Vec<Event>,
}

/// The incident exists with other facts; nothing happened to it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the incident exists with other facts: {} differ", .fields.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", "))]
pub struct ConflictError {
    /// The fields that differ, in the order of the payload; never empty.
    pub fields: Vec<Field>,
}

impl Incident {
    /// Merges `payload` into what is stored of its incident; `now` is the server's clock.
    ///
    /// ```
    /// use incident_core::{Incident, Outcome, decode};
    /// let text = br#"{"locationId":"w","gpsCoordinates":{"type":"Point","coordinates":[0,0]},
    ///     "isAnonymous":false,"createdAt":"2026-11-22T10:15Z"}"#;
    /// let (payload, now) = (decode(text)?.payload, "2026-11-22T10:16Z".parse()?);
    /// let first = Incident::apply(None, &payload, now)?;
    /// let again = Incident::apply(Some(first.incident.clone()), &payload, now)?;
    /// assert_eq!((again.outcome, &again.incident), (Outcome::Unchanged, &first.incident));
    ///
    /// let erased = first.incident.erase(now).tombstone;
    /// let late = Incident::apply(Some(erased.into()), &payload, now)?;
    /// assert_eq!((late.outcome, late.incident), (Outcome::Erased, erased.into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ConflictError`] where the stored facts are not the payload's.
    pub fn apply(
        stored: Option<Stored>,
        payload: &SyncPayload,
        now: Timestamp,
    ) -> Result<Applied, ConflictError> {
        let incident = match stored {
            None => return Ok(Self::create(payload, now)),
            // Its facts are gone, so there is nothing to compare with, either.
            Some(erased @ Stored::Erased(_)) => {
                return Ok(Applied { incident: erased, outcome: Outcome::Erased, events: Vec::new() });
            }
            Some(Stored::Kept(incident)) => incident,
        };
        let fields = incident.facts.differences(&payload.facts);
        if !fields.is_empty() {
            return Err(ConflictError { fields });
        }
        Ok(match &payload.cancellation_reason {
            Some(reason) => incident.cancel(reason, now),
            None => Applied { incident: incident.into(), outcome: Outcome::Unchanged, events: Vec::new() },
        })
    }

    fn create(payload: &SyncPayload, now: Timestamp) -> Applied {
        let created_ms = payload.facts.created_at.unix_ms();
        let at = payload.facts.recorded_at(now);
        let incident = Self {
            facts: payload.facts.clone(),
            received_at: at,
            clock_suspect: created_ms > now.unix_ms() + CLOCK_TOLERANCE_MS
                || created_ms < EARLIEST_PLAUSIBLE_MS,
            state: State::Open,
        };
        let created = Event { at, change: Change::Created };
        let Some(reason) = &payload.cancellation_reason else {
            return Applied { incident: incident.into(), outcome: Outcome::Created, events: vec![created] };
        };
        let mut applied = incident.cancel(reason, now);
        applied.outcome = Outcome::CreatedAndCancelled;
        applied.events.insert(0, created);
        applied
    }

    fn cancel(mut self, reason: &CancellationReason, now: Timestamp) -> Applied {
        let (reason, at) = (reason.clone(), self.facts.recorded_at(now));
        let (outcome, change) = match &mut self.state {
            State::Open => {
                let cancellation = Cancellation { at, reason: reason.clone(), restated: Vec::new() };
                self.state = State::Cancelled(cancellation);
                (Outcome::Cancelled, Some(Change::Cancelled(reason)))
            }
            State::Cancelled(first) if first.reason == reason => (Outcome::Unchanged, None),
            State::Cancelled(first) => {
                let restated = first.restate(&reason);
                (Outcome::AlreadyCancelled, restated.then_some(Change::CancellationRestated(reason)))
            }
        };
        let events = change.into_iter().map(|change| Event { at, change }).collect();
        Applied { incident: self.into(), outcome, events }
    }
}

impl Stored {
    /// The incident, unless it was erased.
    pub fn kept(&self) -> Option<&Incident> {
        match self {
            Self::Kept(incident) => Some(incident),
            Self::Erased(_) => None,
        }
    }
}

impl From<Incident> for Stored {
    fn from(incident: Incident) -> Self {
        Self::Kept(incident)
    }
}

impl From<Tombstone> for Stored {
    fn from(tombstone: Tombstone) -> Self {
        Self::Erased(tombstone)
    }
}

impl Cancellation {
    /// Keeps a further reason if it is new and there is room; says whether it did.
    fn restate(&mut self, reason: &CancellationReason) -> bool {
        let keep = self.restated.len() < MAX_RESTATED_REASONS && !self.restated.contains(reason);
        if keep {
            self.restated.push(reason.clone());
        }
        keep
    }
}
