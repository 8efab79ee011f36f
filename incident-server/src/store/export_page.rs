//! A page of all that is stored.

use incident_core::{Event, IncidentId};

use super::StoredIncident;

/// So many incidents are read at once: with their history less than 10 MB.
pub(super) const PAGE: i64 = 500;

/// Some incidents, with what happened to each.
#[derive(Debug, Default)]
pub(crate) struct ExportPage {
    /// In order of their ids.
    pub(crate) incidents: Vec<(StoredIncident, Vec<Event>)>,
    /// The rows that could not be read; the log names them.
    pub(crate) unreadable: usize,
    /// The last one of the page, read or not; `None` at the end.
    pub(crate) last: Option<IncidentId>,
}
