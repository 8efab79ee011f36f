//! What went wrong inside, as a problem: each kind of error once.

use incident_core::{BatchRefusal, Conflict, KeyMismatch, MAX_BATCH_ITEMS, Problem, Refusal, Violation};

use super::{ProblemDetails, QueryOrPayloadError};
use crate::{
    auth::Refused,
    commit::CommitError,
    rate_limit::TooOften,
    store::{ItemError, StoreError},
};

impl From<Vec<Violation>> for ProblemDetails {
    fn from(violations: Vec<Violation>) -> Self {
        Self::invalid(violations.into_iter().map(QueryOrPayloadError::Payload).collect())
    }
}

impl From<Refusal> for ProblemDetails {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(place) => Self::new(Problem::MalformedJson, place.to_string()),
            Refusal::Invalid(violations) => violations.into(),
        }
    }
}

impl From<BatchRefusal> for ProblemDetails {
    fn from(refusal: BatchRefusal) -> Self {
        match refusal {
            BatchRefusal::Malformed(place) => Self::new(Problem::MalformedJson, place.to_string()),
            BatchRefusal::Invalid(violation) => vec![violation].into(),
            BatchRefusal::TooManyItems => {
                let detail = format!("a batch may have at most {MAX_BATCH_ITEMS} payloads");
                Self { max_items: Some(MAX_BATCH_ITEMS), ..Self::new(Problem::PayloadTooLarge, detail) }
            }
        }
    }
}

impl From<KeyMismatch> for ProblemDetails {
    fn from(_: KeyMismatch) -> Self {
        let detail = "the key is not that of this token's subject and this createdAt, nor, for an anonymous report, a \
                      UUIDv8 that begins with this createdAt: client and server disagree about who reports or when";
        Self::new(Problem::IdempotencyKeyMismatch, detail)
    }
}

impl From<Conflict> for ProblemDetails {
    fn from(conflict: Conflict) -> Self {
        let fields: Vec<_> = conflict.fields.iter().map(|field| field.as_str()).collect();
        let detail = format!("what is stored of this incident differs in {}", fields.join(", "));
        Self { fields, ..Self::new(Problem::IdempotencyConflict, detail) }
    }
}

impl From<Refused> for ProblemDetails {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Invalid(_) => Self::new(Problem::Unauthorized, refused.to_string()),
            Refused::NoKeys => Self::new(Problem::Overloaded, refused.to_string()).for_a_stranger(),
        }
    }
}

impl From<TooOften> for ProblemDetails {
    fn from(refused: TooOften) -> Self {
        Self::rate_limited(refused.retry_after_seconds)
    }
}

impl From<ItemError> for ProblemDetails {
    fn from(error: ItemError) -> Self {
        match error {
            ItemError::Conflict(conflict) => conflict.into(),
            error => Self::internal().because(&error),
        }
    }
}

impl From<&StoreError> for ProblemDetails {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => Self::new(
                Problem::Overloaded,
                "the database is not available; whether this took effect is not known, send it again",
            )
            .because(error),
            StoreError::Refused(_) | StoreError::Row(_) => Self::internal().because(error),
        }
    }
}

impl From<StoreError> for ProblemDetails {
    fn from(error: StoreError) -> Self {
        (&error).into()
    }
}

impl From<CommitError> for ProblemDetails {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::QueueFull => {
                Self::new(Problem::Overloaded, "too many requests wait for their commit; send it again")
            }
            CommitError::Draining => Self::new(Problem::Overloaded, "the server is stopping; send it again"),
            CommitError::Suspended => Self::new(
                Problem::Overloaded,
                "the database does not commit; nothing was tried, send it again",
            ),
            CommitError::Late => Self::new(
                Problem::Overloaded,
                "the database did not answer in time; whether this took effect is not known, send it again",
            ),
            CommitError::Store(error) => (&*error).into(),
            CommitError::Died => Self::internal().because(&error),
        }
    }
}
