//! `POST /api/incidents/sync/batch`

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use incident_core::{BatchItem, MAX_BATCH_BYTES, decode_batch};

use super::sync::Pending;
use crate::{
    App,
    auth::Caller,
    commit::CommitError,
    extract::JsonBody,
    openapi,
    problem::ProblemDetails,
    request::RequestId,
    schema,
    traces::Payloads,
    usage::Usage,
    views::batch::{BatchAnswer, BatchResult},
};

/// Sync up to 500 payloads
///
/// Each stands alone and takes effect in order; a bad one stops none. `httpStatus` is the status that a result
/// would have had alone.
#[utoipa::path(
    post, path = "/api/incidents/sync/batch", tag = "sync", operation_id = "syncBatch",
    request_body(content = schema::Batch),
    responses(
        (status = 200, description = "One result a payload, in order", body = inline(BatchAnswer)),
        openapi::BatchProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn sync_batch(
    State(app): State<App>,
    caller: Caller,
    Extension(request): Extension<RequestId>,
    traced: Option<Extension<Payloads>>,
    JsonBody(body): JsonBody<MAX_BATCH_BYTES>,
) -> Result<(Extension<Arc<Usage>>, Json<BatchAnswer>), ProblemDetails> {
    let payloads = decode_batch(&body)?;
    drop(body); // up to 1 MiB, while the commit is waited for
    // One that cannot be read may be anonymous.
    if let Some(Extension(traced)) = traced.filter(|_| payloads.iter().all(|item| item.payload.is_ok())) {
        traced.are_read(payloads.iter().flat_map(|item| &item.payload).map(|decoded| &decoded.payload));
    }
    app.payload_limiting().check_all(&caller.reporter, payloads.len())?;
    let named = |BatchItem { payload, key }| Ok(Pending::new(&app, &caller, payload?, key)?);
    let pending: Vec<Result<Pending, ProblemDetails>> = payloads.into_iter().map(named).collect();
    let items: Vec<_> = pending.iter().flatten().map(|pending| pending.item.clone()).collect();
    let verdicts =
        if items.is_empty() { Vec::new() } else { app.committer().commit(items, caller.waited).await? };
    let mut verdicts = verdicts.into_iter();
    let results = pending.into_iter().map(|pending| {
        let answered =
            pending.and_then(|pending| pending.answer(&app, verdicts.next().ok_or(CommitError::Died)?));
        let answered = answered.inspect_err(|details| {
            details.log_cause();
            app.metrics().refusal(details.problem());
        });
        BatchResult::from(answered.map_err(|details| details.of_request(&request.0)))
    });
    Ok((Extension(caller.usage.clone()), Json(BatchAnswer { results: results.collect() })))
}
