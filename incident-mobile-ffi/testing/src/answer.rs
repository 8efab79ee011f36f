//! Answers in the words of the contract.

use incident_core::{
    Applied, Cancellation, ConflictError, DecodeError, Disposition, ErasedStatus, IdempotencyKey, IncidentId,
    Problem, State, Stored, SyncPayload, Tombstone, Violation, Warning, decode_batch,
};
use serde::Serialize;

use crate::exchange::{Answer, Header};

/// A payload that took effect.
pub(crate) struct Settled {
    pub(crate) id: IncidentId,
    pub(crate) key: IdempotencyKey,
    pub(crate) applied: Applied,
    pub(crate) warnings: Vec<Warning>,
}

/// A payload or a request that did not.
pub(crate) struct Refused {
    problem: Problem,
    detail: String,
    errors: Vec<Violation>,
    fields: Vec<&'static str>,
}

impl Refused {
    pub(crate) fn new(problem: Problem, detail: &str) -> Self {
        Self { problem, detail: detail.to_owned(), errors: Vec::new(), fields: Vec::new() }
    }

    pub(crate) fn mismatch() -> Self {
        Self::new(Problem::IdempotencyKeyMismatch, "client and server disagree about who reports or when")
    }

    fn status(&self) -> i64 {
        self.problem.status().into()
    }

    /// Without its first brace.
    fn body(&self) -> String {
        let mut body = format!(
            r#""type":"/problems/{}","title":"{}","status":{},"detail":{},"disposition":"{}""#,
            self.problem,
            self.problem.title(),
            self.status(),
            json(&self.detail),
            self.problem.disposition(),
        );
        if !self.errors.is_empty() {
            body.push_str(r#","errors":"#);
            body.push_str(&json(&self.errors));
        }
        if !self.fields.is_empty() {
            body.push_str(r#","fields":"#);
            body.push_str(&json(&self.fields));
        }
        body + "}"
    }
}

impl From<DecodeError> for Refused {
    fn from(refusal: DecodeError) -> Self {
        match refusal {
            DecodeError::Malformed(malformed) => Self::new(Problem::MalformedJson, &malformed.to_string()),
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
        self.applied.outcome.status().into()
    }

    /// Without its first brace.
    fn body(&self) -> String {
        let mut body = format!(
            r#""outcome":"{}","disposition":"{}","idempotencyKey":"{}","incident":{}"#,
            self.applied.outcome,
            Disposition::Settled,
            self.key,
            incident(self.id, &self.applied.incident),
        );
        if !self.warnings.is_empty() {
            body.push_str(r#","warnings":"#);
            body.push_str(&json(&self.warnings));
        }
        body + "}"
    }
}

/// An incident as its reporter sees it: the fields of a payload, and what the server adds.
fn incident(id: IncidentId, stored: &Stored) -> String {
    let incident = match stored {
        Stored::Kept(incident) => incident,
        Stored::Erased(Tombstone { created_at, erased_at }) => {
            let status = ErasedStatus::Erased;
            return format!(
                r#"{{"id":"{id}","status":"{status}","createdAt":"{created_at}","erasedAt":"{erased_at}"}}"#
            );
        }
    };
    let (cancellation_reason, cancelled_at) = match &incident.state {
        State::Open => (None, String::new()),
        State::Cancelled(Cancellation { at, reason, .. }) => {
            (Some(reason.clone()), format!(r#","cancelledAt":"{at}""#))
        }
    };
    let payload = SyncPayload { facts: incident.facts.clone(), cancellation_reason }.to_canonical_json();
    let (status, received_at) = (incident.state.status(), incident.received_at);
    let clock_suspect = incident.clock_suspect;
    format!(
        r#"{},"id":"{id}","status":"{status}","receivedAt":"{received_at}","clockSuspect":{clock_suspect}{cancelled_at}}}"#,
        payload.strip_suffix('}').unwrap_or(&payload)
    )
}

/// The answer to one payload that took effect.
pub(crate) fn one(settled: &Settled) -> Answer {
    response(settled.status(), "application/json", &settled.body())
}

/// The answer to a request that did not.
pub(crate) fn whole(refused: &Refused) -> Answer {
    let answer = response(refused.status(), "application/problem+json", &refused.body());
    if refused.problem == Problem::Unauthorized {
        return with_header(answer, "WWW-Authenticate", "Bearer realm=\"incident-sync\"");
    }
    answer
}

/// The answer to a batch.
pub(crate) fn many(answered: &[Result<Settled, Refused>]) -> Answer {
    let result = |answered: &Result<Settled, Refused>| {
        let (status, body) = match answered {
            Ok(settled) => (settled.status(), settled.body()),
            Err(refused) => (refused.status(), refused.body()),
        };
        format!(r#"{{"httpStatus":{status},{body}"#)
    };
    let results: Vec<_> = answered.iter().map(result).collect();
    response(200, "application/json", &format!(r#""results":[{}]}}"#, results.join(",")))
}

/// 409 for one payload, or for each of a batch.
pub(crate) fn conflict(is_batch: bool, body: &[u8]) -> Answer {
    let refused = || Refused {
        fields: vec!["locationId"],
        ..Refused::new(Problem::IdempotencyConflict, "another report has this name")
    };
    match decode_batch(body) {
        Ok(items) if is_batch => many(&items.iter().map(|_| Err(refused())).collect::<Vec<_>>()),
        _ => whole(&refused()),
    }
}

/// The same answer with one header more.
pub(crate) fn with_header(answer: Answer, name: &str, value: &str) -> Answer {
    match answer {
        Answer::Response { status, mut headers, body } => {
            headers.push(header(name, value));
            Answer::Response { status, headers, body }
        }
        other @ Answer::NetworkFailure { .. } => other,
    }
}

/// `body` comes without its first brace.
fn response(status: i64, kind: &str, body: &str) -> Answer {
    let body = format!("{{{body}").into_bytes();
    Answer::Response { status, headers: vec![header("Content-Type", kind)], body }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

pub(crate) fn header(name: &str, value: &str) -> Header {
    Header { name: name.to_owned(), value: value.to_owned() }
}
