//! `GET /api/incidents/{id}`

use axum::{Json, extract::State};
use incident_core::{IncidentId, IncidentKey};

use crate::{
    App,
    auth::Caller,
    extract::{KeyHeader, PathId, not_found},
    openapi,
    problem::ProblemDetails,
    store::StoredIncident,
    view::IncidentView,
};

/// Read one incident
///
/// Whoever has the scope `incidents:read` may. Else a named one is read by its reporter, and an anonymous one by
/// whoever sends its sealed key in `Idempotency-Key`.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "read", operation_id = "getIncident",
    params(openapi::IncidentIdPath, openapi::SealedKeyHeader),
    responses(openapi::IncidentFound, openapi::IncidentProblems),
    security(("bearer" = [])),
)]
pub(crate) async fn get_incident(
    State(app): State<App>,
    caller: Caller,
    key: KeyHeader,
    PathId(id): PathId,
) -> Result<Json<IncidentView>, ProblemDetails> {
    let stored = visible(&app, &caller, key, id).await?;
    Ok(Json(IncidentView::read(stored, caller.may_read_all)))
}

/// The incident, if there is one that this caller may see.
pub(crate) async fn visible(
    app: &App,
    caller: &Caller,
    KeyHeader(sent): KeyHeader,
    id: IncidentId,
) -> Result<StoredIncident, ProblemDetails> {
    let stored = app.store().incident(id).await?.ok_or_else(not_found)?;
    let sent = sent.and_then(Result::ok);
    let key = IncidentKey::to_read(&stored.incident.facts, &caller.reporter, sent);
    let is_theirs = || key.is_some_and(|key| IncidentId::derive(app.id_secret(), key) == id);
    if caller.may_read_all || is_theirs() { Ok(stored) } else { Err(not_found()) }
}
