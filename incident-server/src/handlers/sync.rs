//! `POST /api/incidents/sync`

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use incident_core::{
    Decoded, Disposition, IdempotencyKey, IncidentId, IncidentKey, KeyError, KeyMismatchError,
    MAX_PAYLOAD_BYTES, Warning, decode,
};

use crate::{
    App,
    auth::Caller,
    commit::CommitError,
    extract::{JsonBody, KeyHeader, SendsOne},
    openapi,
    problem::{ProblemDetails, status_code},
    schema,
    store::{SyncItem, Verdict},
    traces::Payloads,
    views::incident::{StoredView, SyncAnswer},
};

/// Create an incident, or create and cancel it in one step
///
/// Idempotent: the incident is named by the token's subject and `createdAt`, an anonymous one by its sealed key
/// where it is sent with one; so a repeat changes nothing.
#[utoipa::path(
    post, path = "/api/incidents/sync", tag = "sync", operation_id = "sync",
    request_body(content = schema::SyncPayload),
    params(KeyHeader),
    responses(
        (
            status = 200, body = inline(SyncAnswer),
            description = "The incident exists, and this payload changed it or was a repeat",
        ),
        (
            status = 201, body = inline(SyncAnswer),
            description = "The incident is new",
            headers(("Location" = String, description = "Where the incident is read")),
        ),
        openapi::SyncProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn sync(
    State(app): State<App>,
    SendsOne(caller): SendsOne,
    traced: Option<Extension<Payloads>>,
    KeyHeader { sent: key }: KeyHeader,
    JsonBody(body): JsonBody<MAX_PAYLOAD_BYTES>,
) -> Result<Response, ProblemDetails> {
    let decoded = decode(&body)?;
    if let Some(Extension(traced)) = traced {
        traced.are_read(std::iter::once(&decoded.payload));
    }
    let pending = Pending::new(&app, &caller, decoded, key)?;
    let committed = app.committer().commit(vec![pending.item.clone()], caller.waited).await;
    let verdict = committed?.pop().ok_or(CommitError::Died)?;
    let (status, answer) = pending.answer(&app, verdict)?;
    let location = format!("/api/incidents/{}", pending.item.id);
    let status = status_code(status);
    let location = (status == StatusCode::CREATED).then_some([(header::LOCATION, location)]);
    Ok((status, location, Json(answer)).into_response())
}

/// A decoded payload that waits for its verdict.
pub(crate) struct Pending {
    key: IdempotencyKey,
    pub(crate) item: SyncItem,
    warnings: Vec<Warning>,
}

impl Pending {
    /// Names the incident of a payload that came with this key or none.
    pub(crate) fn new(
        app: &App,
        caller: &Caller,
        decoded: Decoded,
        sent: Option<Result<IdempotencyKey, KeyError>>,
    ) -> Result<Self, KeyMismatchError> {
        let sent = sent.transpose().map_err(|KeyError| KeyMismatchError)?;
        let key = IncidentKey::resolve(&decoded.payload, &caller.reporter, sent)?;
        let id = IncidentId::derive(app.id_secret(), key);
        let item = SyncItem { id, reporter: caller.reporter.clone(), payload: decoded.payload };
        Ok(Self { key: key.key(), item, warnings: decoded.warnings })
    }

    /// The answer to it and the status that it has alone.
    pub(crate) fn answer(&self, app: &App, verdict: Verdict) -> Result<(u16, SyncAnswer), ProblemDetails> {
        let (incident, outcome) = verdict?;
        app.metrics().outcome(outcome);
        let answer = SyncAnswer {
            outcome,
            disposition: Disposition::Settled,
            idempotency_key: self.key,
            incident: StoredView::new(self.item.id, &incident),
            warnings: self.warnings.clone(),
        };
        Ok((outcome.status(), answer))
    }
}
