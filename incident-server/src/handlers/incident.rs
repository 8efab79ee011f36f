//! `GET /api/incidents/{id}`

use axum::{Json, extract::State};
use incident_core::{IdempotencyKey, IncidentId};

use crate::{
    App,
    auth::Caller,
    extract::{PathId, not_found},
    openapi,
    problem::ProblemDetails,
    store::StoredIncident,
    view::IncidentView,
};

/// Read one incident
///
/// Its reporter may, of an anonymous one too, and whoever has the scope `incidents:read`.
#[utoipa::path(
    get, path = "/api/incidents/{id}", tag = "read", operation_id = "getIncident",
    params(openapi::IncidentIdPath),
    responses(openapi::IncidentFound, openapi::IncidentProblems),
    security(("bearer" = [])),
)]
pub(crate) async fn get_incident(
    State(app): State<App>,
    caller: Caller,
    PathId(id): PathId,
) -> Result<Json<IncidentView>, ProblemDetails> {
    let stored = visible(&app, &caller, id).await?;
    Ok(Json(IncidentView::read(stored, caller.may_read_all)))
}

/// The incident, if there is one that this caller may see.
pub(crate) async fn visible(
    app: &App,
    caller: &Caller,
    id: IncidentId,
) -> Result<StoredIncident, ProblemDetails> {
    let stored = app.store().incident(id).await?.ok_or_else(not_found)?;
    // The reporter of an anonymous incident is not stored; only they can name its id again.
    let created_at = stored.incident.facts.created_at;
    let own = IdempotencyKey::derive(&caller.reporter, created_at);
    let own = IncidentId::derive(app.id_secret(), own.into());
    if caller.may_read_all || own == id { Ok(stored) } else { Err(not_found()) }
}
