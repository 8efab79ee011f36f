//! `POST /api/incidents/sync`

use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use incident_core::{
    Decoded, Disposition, IdempotencyKey, IncidentId, MAX_PAYLOAD_BYTES, Outcome, Warning, decode,
};

use crate::{
    App,
    auth::Caller,
    commit::CommitError,
    extract::{JsonBody, KeyHeader},
    openapi,
    problem::ProblemDetails,
    schema,
    store::{SyncItem, Verdict},
    view::{IncidentView, SyncAnswer},
};

/// Create an incident, or create and cancel it in one step
///
/// Idempotent: the incident is named by the token's subject and `createdAt`, so a repeat changes nothing.
#[utoipa::path(
    post, path = "/api/incidents/sync", tag = "sync", operation_id = "sync",
    request_body(content = schema::SyncPayload),
    params(openapi::IdempotencyKeyHeader),
    responses(openapi::Synced, openapi::SyncProblems),
    security(("bearer" = [])),
)]
pub(crate) async fn sync(
    State(app): State<App>,
    caller: Caller,
    key: KeyHeader,
    JsonBody(body): JsonBody<MAX_PAYLOAD_BYTES>,
) -> Result<Response, ProblemDetails> {
    let pending = Pending::new(&app, &caller, decode(&body)?);
    key.check(pending.key)?;
    let verdict = app.committer().commit(vec![pending.item.clone()]).await?.pop().ok_or(CommitError::Died)?;
    let (status, answer) = pending.answer(&app, verdict)?;
    let location = format!("/api/incidents/{}", pending.item.id);
    let location = (status == StatusCode::CREATED).then_some([(header::LOCATION, location)]);
    Ok((status, location, Json(answer)).into_response())
}

/// A decoded payload that waits for its verdict.
pub(crate) struct Pending {
    pub(crate) key: IdempotencyKey,
    pub(crate) item: SyncItem,
    warnings: Vec<Warning>,
}

impl Pending {
    pub(crate) fn new(app: &App, caller: &Caller, decoded: Decoded) -> Self {
        let key = IdempotencyKey::derive(&caller.reporter, decoded.payload.facts.created_at);
        let id = IncidentId::derive(app.id_secret(), key.into());
        let item = SyncItem { id, reporter: caller.reporter.clone(), payload: decoded.payload };
        Self { key, item, warnings: decoded.warnings }
    }

    /// The answer to it and the status that it has alone.
    pub(crate) fn answer(
        &self,
        app: &App,
        verdict: Verdict,
    ) -> Result<(StatusCode, SyncAnswer), ProblemDetails> {
        let (incident, outcome) = verdict?;
        app.metrics().outcome(outcome);
        let answer = SyncAnswer {
            outcome,
            disposition: Disposition::Settled,
            idempotency_key: self.key,
            incident: IncidentView::new(self.item.id, &incident),
            warnings: self.warnings.clone(),
        };
        Ok((status(outcome), answer))
    }
}

fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Created | Outcome::CreatedAndCancelled => StatusCode::CREATED,
        Outcome::Unchanged | Outcome::Cancelled | Outcome::AlreadyCancelled | Outcome::Erased => {
            StatusCode::OK
        }
    }
}
