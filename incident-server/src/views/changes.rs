//! What callers see of what happened: histories and the feed of changes.

use incident_core::{Event, EventKind, Stored, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    cursor::ChangesCursor,
    schema::EventKindWord,
    store::{self, StoredChange},
    views::incident::{ErasedView, IncidentView, StoredView, shown},
};

/// What happened to an incident, oldest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct History {
    pub(crate) events: Vec<EventView>,
}

/// One thing that happened.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EventView {
    #[schema(value_type = EventKindWord, inline)]
    kind: EventKind,
    #[schema(value_type = String, format = "date-time")]
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancellation_reason: Option<String>,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let cancellation_reason = event.change.reason().and_then(shown);
        Self { kind: event.change.kind(), at: event.at, cancellation_reason }
    }
}

/// A page of the history of all incidents.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ChangePage)]
pub(crate) struct ChangePageView {
    changes: Vec<ChangeView>,
    /// Where to go on, also after an empty page.
    next_cursor: String,
}

/// One thing that happened to one incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Change)]
pub(crate) struct ChangeView {
    /// Opaque; goes into `after`.
    cursor: String,
    #[serde(flatten)]
    event: EventView,
    /// The incident as it is now.
    incident: StoredView,
}

impl ChangePageView {
    /// The changes behind a position of the same feed.
    pub(crate) fn new(after: ChangesCursor, page: store::ChangePage) -> Self {
        let changes = page.changes.into_iter();
        let changes = changes.map(|change| ChangeView::new(after.at(change.position), change));
        Self { changes: changes.collect(), next_cursor: after.at(page.next).to_string() }
    }
}

impl ChangeView {
    /// The change that stands at `cursor`.
    pub(crate) fn new(cursor: ChangesCursor, change: StoredChange) -> Self {
        Self {
            cursor: cursor.to_string(),
            event: EventView::from(&change.event),
            incident: match change.incident.incident {
                Stored::Erased(tombstone) => {
                    StoredView::Erased(ErasedView::new(change.incident.id, &tombstone))
                }
                Stored::Kept(ref incident) => {
                    let mut view = IncidentView::new(change.incident.id, incident);
                    view.reporter = change.incident.reporter;
                    StoredView::Kept(Box::new(view))
                }
            },
        }
    }

    pub(crate) fn cursor(&self) -> &str {
        &self.cursor
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.event.kind.as_str()
    }
}
