//! `GET /api/incidents/{id}/history`

use std::sync::Arc;

use axum::{Extension, Json, extract::State};

use super::incident::visible;
use crate::{
    App,
    auth::Caller,
    extract::{PathId, SealedKeyHeader},
    openapi,
    problem::ProblemDetails,
    usage::Usage,
    views::changes::{EventView, History},
};

/// Read what happened to an incident, oldest first
#[utoipa::path(
    get, path = "/api/incidents/{id}/history", tag = "read", operation_id = "getHistory",
    params(PathId, SealedKeyHeader),
    responses(
        (status = 200, description = "What happened to it", body = inline(History)),
        openapi::IncidentProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn get_history(
    State(app): State<App>,
    caller: Caller,
    key: SealedKeyHeader,
    PathId { id }: PathId,
) -> Result<(Extension<Arc<Usage>>, Json<History>), ProblemDetails> {
    let found = app.store().incident(id).await?;
    visible(&app, &caller, key, found, "history")?;
    let events = app.store().history(id).await?;
    Ok((Extension(caller.usage), Json(History { events: events.iter().map(EventView::from).collect() })))
}
