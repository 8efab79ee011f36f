//! `DELETE /api/incidents/{id}` and `DELETE /api/incidents?reporter=…`

use std::sync::Arc;

use axum::{Json, extract::State};
use tokio::time::timeout;

use crate::{
    App,
    commit::CommitError,
    erasure::{self, By},
    extract::{Erases, OfReporter, PathId, not_found},
    limits::ANSWER_DEADLINE,
    openapi,
    problem::ProblemDetails,
    store::StoreError,
    views::incident::{ErasedView, ErasureOfReporterView, ErasureView},
};

/// Erase one incident
///
/// Nothing but its id and two moments is left of it, and no repeat brings it back. Needs the scope `incidents:erase`.
#[utoipa::path(
    delete, path = "/api/incidents/{id}", tag = "erase", operation_id = "eraseIncident",
    params(PathId),
    responses(
        (status = 200, description = "What is left of it", body = inline(ErasureView)),
        openapi::ErasureProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn erase_incident(
    State(app): State<App>,
    Erases(caller): Erases,
    PathId { id }: PathId,
) -> Result<Json<ErasureView>, ProblemDetails> {
    let by = By::Caller(caller.reporter);
    let erased = to_the_end(async move { erasure::erase(app.store(), &[id], app.now(), &by).await }).await?;
    let erased = erased.first().ok_or_else(not_found)?;
    Ok(Json(ErasureView { outcome: erased.outcome, incident: ErasedView::new(id, &erased.tombstone) }))
}

/// Erase all incidents that are stored under a name
///
/// At most 10,000 at once; `more` says whether there are more, and the same request goes on. Anonymous incidents cannot
/// be found by a name. Needs the scope `incidents:erase`.
#[utoipa::path(
    delete, path = "/api/incidents", tag = "erase", operation_id = "eraseIncidentsOfReporter",
    params(OfReporter),
    responses(
        (status = 200, description = "How many were erased", body = inline(ErasureOfReporterView)),
        openapi::ErasureOfReporterProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn erase_incidents_of_reporter(
    State(app): State<App>,
    Erases(caller): Erases,
    OfReporter { reporter }: OfReporter,
) -> Result<Json<ErasureOfReporterView>, ProblemDetails> {
    let by = By::Caller(caller.reporter);
    Ok(Json(to_the_end(async move { erasure::erase_all_of(&app, reporter, &by).await }).await?))
}

/// Goes on though the client goes away, so that what was erased is written down, too.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, ProblemDetails> {
    match timeout(ANSWER_DEADLINE, tokio::spawn(work)).await {
        Ok(Ok(done)) => Ok(done.map_err(|error| CommitError::Store(Arc::new(error)))?),
        Ok(Err(_)) => Err(CommitError::Died.into()),
        Err(_) => Err(CommitError::Late.into()),
    }
}
