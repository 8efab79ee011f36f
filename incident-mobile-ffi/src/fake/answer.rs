//! Answers in the words of the contract.

use incident_core::{
    Applied, ConflictError, DecodeError, Disposition, ErasedStatus, IdempotencyKey, IncidentId, Outcome,
    Problem, State, Stored, SyncPayload, Violation, Warning, decode_batch,
};
use serde_json::{Map, Value, json};

use super::fault::header;
use crate::outbox::UploadResult;

/// A payload that took effect.
pub(super) struct Settled {
    pub(super) id: IncidentId,
    pub(super) key: IdempotencyKey,
    pub(super) applied: Applied,
    pub(super) warnings: Vec<Warning>,
}

/// A payload or a request that did not.
pub(super) struct Refused {
    problem: Problem,
    detail: String,
    errors: Vec<Violation>,
    fields: Vec<&'static str>,
}

impl Refused {
    pub(super) fn new(problem: Problem, detail: &str) -> Self {
        Self { problem, detail: detail.to_owned(), errors: Vec::new(), fields: Vec::new() }
    }

    pub(super) fn mismatch() -> Self {
        Self::new(Problem::IdempotencyKeyMismatch, "client and server disagree about who reports or when")
    }

    fn status(&self) -> i64 {
        match self.problem {
            Problem::Unauthorized => 401,
            Problem::Forbidden => 403,
            Problem::NotFound => 404,
            Problem::IdempotencyConflict => 409,
            Problem::PayloadTooLarge => 413,
            Problem::ValidationFailed | Problem::IdempotencyKeyMismatch => 422,
            Problem::RateLimited => 429,
            Problem::Internal => 500,
            _ => 400,
        }
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = object(json!({
            "type": format!("/problems/{}", self.problem),
            "title": self.problem.title(),
            "status": self.status(),
            "detail": self.detail,
            "disposition": self.problem.disposition(),
        }));
        if !self.errors.is_empty() {
            body.insert("errors".into(), json!(self.errors));
        }
        if !self.fields.is_empty() {
            body.insert("fields".into(), json!(self.fields));
        }
        body
    }
}

impl From<DecodeError> for Refused {
    fn from(refusal: DecodeError) -> Self {
        match refusal {
            DecodeError::Malformed(place) => Self::new(Problem::MalformedJson, &place.to_string()),
            DecodeError::Invalid(errors) => {
                Self { errors, ..Self::new(Problem::ValidationFailed, "rules are broken, see errors") }
            }
        }
    }
}

impl From<ConflictError> for Refused {
    fn from(conflict: ConflictError) -> Self {
        let fields = conflict.fields.iter().map(|field| field.as_str()).collect();
        Self { fields, ..Self::new(Problem::IdempotencyConflict, &conflict.to_string()) }
    }
}

impl Settled {
    fn status(&self) -> i64 {
        match self.applied.outcome {
            Outcome::Created | Outcome::CreatedAndCancelled => 201,
            Outcome::Unchanged | Outcome::Cancelled | Outcome::AlreadyCancelled | Outcome::Erased => 200,
        }
    }

    fn body(&self) -> Map<String, Value> {
        let mut body = object(json!({
            "outcome": self.applied.outcome,
            "disposition": Disposition::Settled,
            "idempotencyKey": self.key,
            "incident": incident(self.id, &self.applied.incident),
        }));
        if !self.warnings.is_empty() {
            body.insert("warnings".into(), json!(self.warnings));
        }
        body
    }
}

/// An incident as its reporter sees it: the fields of a payload, and what the server adds.
fn incident(id: IncidentId, stored: &Stored) -> Value {
    let incident = match stored {
        Stored::Kept(incident) => incident,
        Stored::Erased(left) => {
            return json!({"id": id, "status": ErasedStatus::Erased, "createdAt": left.created_at,
                "erasedAt": left.erased_at});
        }
    };
    let cancellation = match &incident.state {
        State::Open => None,
        State::Cancelled(cancellation) => Some(cancellation),
    };
    let cancellation_reason = cancellation.map(|cancellation| cancellation.reason.clone());
    let mut view = object(json!(SyncPayload { facts: incident.facts.clone(), cancellation_reason }));
    view.extend(object(json!({"id": id, "status": incident.state.status(),
        "receivedAt": incident.received_at, "clockSuspect": incident.clock_suspect})));
    if let Some(cancellation) = cancellation {
        view.insert("cancelledAt".into(), json!(cancellation.at));
    }
    view.into()
}

/// The answer to one payload that took effect.
pub(super) fn one(settled: &Settled) -> UploadResult {
    response(settled.status(), "application/json", settled.body())
}

/// The answer to a request that did not.
pub(super) fn whole(refused: &Refused) -> UploadResult {
    let answer = response(refused.status(), "application/problem+json", refused.body());
    if refused.problem == Problem::Unauthorized {
        return with_header(answer, "WWW-Authenticate", "Bearer realm=\"incident-sync\"");
    }
    answer
}

/// The answer to a batch.
pub(super) fn many(answered: Vec<Result<Settled, Refused>>) -> UploadResult {
    let result = |answered: Result<Settled, Refused>| {
        let (status, mut body) = match &answered {
            Ok(settled) => (settled.status(), settled.body()),
            Err(refused) => (refused.status(), refused.body()),
        };
        body.insert("httpStatus".into(), status.into());
        Value::Object(body)
    };
    let results: Vec<_> = answered.into_iter().map(result).collect();
    response(200, "application/json", object(json!({ "results": results })))
}

/// 409 for one payload, or for each of a batch.
pub(super) fn conflict(is_batch: bool, body: &[u8]) -> UploadResult {
    let refused = || Refused {
        fields: vec!["locationId"],
        ..Refused::new(Problem::IdempotencyConflict, "another report has this name")
    };
    match decode_batch(body) {
        Ok(items) if is_batch => many(items.iter().map(|_| Err(refused())).collect()),
        _ => whole(&refused()),
    }
}

/// The same answer with one header more.
pub(super) fn with_header(answer: UploadResult, name: &str, value: &str) -> UploadResult {
    match answer {
        UploadResult::Response { status, mut headers, body } => {
            headers.push(header(name, value));
            UploadResult::Response { status, headers, body }
        }
        other => other,
    }
}

fn response(status: i64, kind: &str, body: Map<String, Value>) -> UploadResult {
    let body = Value::Object(body).to_string().into_bytes();
    UploadResult::Response { status, headers: vec![header("Content-Type", kind)], body }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
