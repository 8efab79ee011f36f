//! What callers see of an incident.

use std::borrow::Cow;

use incident_core::{
    CancellationReason, Disposition, ErasedStatus, Facts, IdempotencyKey, Incident, IncidentId, Outcome,
    State, Status, Stored, Timestamp, Tombstone, Warning,
};
use serde::Serialize;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use crate::{
    schema::{self, DispositionWord, ErasedWord, ErasureOutcomeWord, OutcomeWord},
    store::StoredIncident,
};

/// An incident; absent fields are left out. The API document has it in [`schema::incident`].
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IncidentView {
    id: IncidentId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reporter: Option<String>,
    #[serde(flatten)]
    facts: Facts,
    received_at: Timestamp,
    clock_suspect: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation_reason: Option<String>,
}

impl PartialSchema for IncidentView {
    fn schema() -> RefOr<Schema> {
        schema::incident().into()
    }
}

impl ToSchema for IncidentView {
    fn name() -> Cow<'static, str> {
        "Incident".into()
    }
}

impl IncidentView {
    /// As its reporter sees it in the answer to a sync: without a name.
    pub(crate) fn new(id: IncidentId, incident: &Incident) -> Self {
        let cancellation = match &incident.state {
            State::Open => None,
            State::Cancelled(cancellation) => Some(cancellation),
        };
        Self {
            id,
            status: incident.state.status(),
            reporter: None,
            facts: incident.facts.clone(),
            received_at: incident.received_at,
            clock_suspect: incident.clock_suspect,
            cancelled_at: cancellation.map(|cancellation| cancellation.at),
            cancellation_reason: cancellation.and_then(|cancellation| shown(&cancellation.reason)),
        }
    }

    /// As a reading route shows it, unless it was erased; the reporter only to those who may read all.
    pub(crate) fn read(stored: StoredIncident, may_read_all: bool) -> Option<Self> {
        let reporter = stored.reporter.filter(|_| may_read_all);
        Some(Self { reporter, ..Self::new(stored.id, stored.incident.kept()?) })
    }
}

/// What is left of an erased incident.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ErasedIncident)]
pub(crate) struct ErasedView {
    #[schema(value_type = String, format = "uuid", example = "01a202c0-f648-8114-8d97-64d571c679d1")]
    id: IncidentId,
    #[schema(value_type = ErasedWord, inline)]
    status: ErasedStatus,
    /// By the phone's clock.
    #[schema(value_type = String, format = "date-time")]
    created_at: Timestamp,
    /// By the server's clock; the minute.
    #[schema(value_type = String, format = "date-time")]
    erased_at: Timestamp,
}

impl ErasedView {
    pub(crate) fn new(id: IncidentId, tombstone: &Tombstone) -> Self {
        let Tombstone { created_at, erased_at } = *tombstone;
        Self { id, status: ErasedStatus::Erased, created_at, erased_at }
    }
}

/// An incident, or what is left of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = IncidentOrErased)]
pub(crate) enum StoredView {
    Kept(Box<IncidentView>),
    Erased(ErasedView),
}

impl StoredView {
    /// As its reporter sees it in the answer to a sync: without a name.
    pub(crate) fn new(id: IncidentId, stored: &Stored) -> Self {
        match stored {
            Stored::Kept(incident) => Self::Kept(Box::new(IncidentView::new(id, incident))),
            Stored::Erased(tombstone) => Self::Erased(ErasedView::new(id, tombstone)),
        }
    }
}

/// The answer to an erasure: `erased`, or `unchanged` where it had been erased before.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(crate) struct ErasureView {
    #[schema(value_type = ErasureOutcomeWord, inline)]
    pub(crate) outcome: Outcome,
    pub(crate) incident: ErasedView,
}

/// The answer to the erasure of all incidents of one reporter.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ErasureOfReporter)]
pub(crate) struct ErasureOfReporterView {
    /// How many were erased.
    pub(crate) erased: usize,
    /// Whether there are more: the same request goes on.
    pub(crate) more: bool,
}

/// A reason, unless it was taken away in the database.
pub(crate) fn shown(reason: &CancellationReason) -> Option<String> {
    Some(reason.as_str().to_owned()).filter(|reason| !reason.is_empty())
}

/// The answer to one sync.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SyncAnswer {
    #[schema(value_type = OutcomeWord, inline)]
    pub(crate) outcome: Outcome,
    #[schema(value_type = DispositionWord, inline)]
    pub(crate) disposition: Disposition,
    #[schema(value_type = String, format = "uuid", example = "01a202c0-f648-81b8-95f2-469ecf9e3f4e")]
    pub(crate) idempotency_key: IdempotencyKey,
    pub(crate) incident: StoredView,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<schema::Warning>)]
    pub(crate) warnings: Vec<Warning>,
}

/// A page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IncidentPage)]
pub(crate) struct IncidentPageView {
    pub(crate) incidents: Vec<IncidentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next_cursor: Option<String>,
}

/// The state of the server.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Health {
    pub(crate) status: &'static str,
}
