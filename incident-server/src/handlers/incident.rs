//! `GET /api/incidents/{id}`

use axum::{Json, extract::State};
use incident_core::{IncidentId, IncidentKey, Stored};

use crate::{
    App, audit,
    auth::Caller,
    extract::{PathId, SealedKeyHeader, gone, not_found},
    openapi,
    problem::ProblemDetails,
    store::StoredIncident,
    views::incident::IncidentView,
};

/// Read one incident
///
/// Whoever has the scope `incidents:read` may. Else a named one is read by its reporter, and an anonymous one by
/// whoever sends its sealed key in `Idempotency-Key`.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "read", operation_id = "getIncident",
    params(PathId, SealedKeyHeader),
    responses(
        (status = 200, description = "The incident", body = inline(IncidentView)),
        openapi::IncidentProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn get_incident(
    State(app): State<App>,
    caller: Caller,
    key: SealedKeyHeader,
    PathId { id }: PathId,
) -> Result<Json<IncidentView>, ProblemDetails> {
    let found = app.store().incident_to_show(id).await?;
    let stored = visible(&app, &caller, key, found, "incident")?;
    IncidentView::read(stored, caller.may_read_all).map(Json).ok_or_else(gone)
}

/// What was found, if it is something that this caller may see and that was not erased. Who reads that of somebody else is
/// noted.
pub(crate) fn visible(
    app: &App,
    caller: &Caller,
    SealedKeyHeader { sent }: SealedKeyHeader,
    found: Option<StoredIncident>,
    what: &'static str,
) -> Result<StoredIncident, ProblemDetails> {
    let stored = found.ok_or_else(not_found)?;
    let id = stored.id;
    let key = match &stored.incident {
        Stored::Kept(incident) => IncidentKey::to_read(&incident.facts, &caller.reporter, sent),
        Stored::Erased(_) => IncidentKey::to_know_erased(sent),
    };
    let is_theirs = key.is_some_and(|key| IncidentId::derive(app.id_secret(), key) == id);
    if !caller.may_read_all && !is_theirs {
        return Err(not_found());
    }
    let Some(incident) = stored.incident.kept() else { return Err(gone()) };
    if !is_theirs {
        audit::incident(app, caller, id, &incident.facts, what);
    }
    Ok(stored)
}
