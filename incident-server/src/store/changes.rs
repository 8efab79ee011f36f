//! The history of all incidents as a feed: positions in it, and a page of it.

use incident_core::Event;

use super::StoredIncident;

/// Where something stands in the history of all incidents; larger ones are later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position(pub i64);

impl Position {
    /// Before the first change.
    pub const START: Self = Self(0);
}

/// Which feed of changes positions are counted in. A database that was restored begins a new one, for it gives
/// the same positions out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Series(pub i64);

/// How far the history goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// The feed that these positions belong to.
    pub series: Series,
    /// Up to here nothing is on its way any more: who goes on behind it skips nothing.
    pub complete_to: Position,
    /// The highest position that this database ever gave out.
    pub newest: Position,
}

/// One row of the history of all incidents.
#[derive(Debug, Clone)]
pub struct StoredChange {
    /// Where it stands.
    pub position: Position,
    /// What happened.
    pub event: Event,
    /// The incident it happened to, as it is now.
    pub incident: StoredIncident,
}

/// A page of the history of all incidents. A row that cannot be read is logged and left out.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// The changes, in commit order.
    pub changes: Vec<StoredChange>,
    /// Behind the last row of the page, whether it could be read or not.
    pub next: Position,
}
