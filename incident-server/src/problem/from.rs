//! What went wrong inside, as a problem: each kind of error once.

use incident_core::{
    BatchError, ConflictError, DecodeError, KeyMismatchError, MAX_BATCH_ITEMS, Problem, Violation,
};

use super::{ErrorEntry, ProblemDetails};
use crate::{
    auth::TokenError,
    commit::CommitError,
    rate_limit::QuotaError,
    store::{ItemError, StoreError},
};

/// After a batch that no burst is large enough for: whoever sends it as it is should at least do so seldom.
const NEVER_FITS_SECONDS: u64 = 60;

impl From<Vec<Violation>> for ProblemDetails {
    fn from(violations: Vec<Violation>) -> Self {
        Self::invalid(violations.into_iter().map(ErrorEntry::Payload).collect())
    }
}

impl From<DecodeError> for ProblemDetails {
    fn from(refusal: DecodeError) -> Self {
        match refusal {
            DecodeError::Malformed(malformed) => {
                // Of a batch, each payload is read as if it were alone.
                Self::new(Problem::MalformedJson, format!("{malformed}, counted within the payload"))
            }
            DecodeError::Invalid(violations) => violations.into(),
        }
    }
}

impl From<BatchError> for ProblemDetails {
    fn from(refusal: BatchError) -> Self {
        match refusal {
            BatchError::Malformed(malformed) => Self::new(Problem::MalformedJson, malformed.to_string()),
            BatchError::Invalid(violations) => violations.into(),
            BatchError::TooManyItems => {
                let detail = format!("a batch may have at most {MAX_BATCH_ITEMS} payloads");
                Self { max_items: Some(MAX_BATCH_ITEMS), ..Self::new(Problem::PayloadTooLarge, detail) }
            }
        }
    }
}

impl From<KeyMismatchError> for ProblemDetails {
    fn from(_: KeyMismatchError) -> Self {
        let detail = "the key is not that of this token's subject and this createdAt, nor, for an anonymous report, a \
                      UUIDv8 that begins with this createdAt: client and server disagree about who reports or when";
        Self::new(Problem::IdempotencyKeyMismatch, detail)
    }
}

impl From<ConflictError> for ProblemDetails {
    fn from(conflict: ConflictError) -> Self {
        let fields: Vec<_> = conflict.fields.iter().map(|field| field.as_str()).collect();
        let detail = format!("what is stored of this incident differs in {}", fields.join(", "));
        Self { fields, ..Self::new(Problem::IdempotencyConflict, detail) }
    }
}

impl From<TokenError> for ProblemDetails {
    fn from(refused: TokenError) -> Self {
        match refused {
            TokenError::Invalid(_) => Self::new(Problem::Unauthorized, refused.to_string()),
            TokenError::NoKeys => Self::new(Problem::Overloaded, refused.to_string()).for_a_stranger(),
        }
    }
}

impl From<QuotaError> for ProblemDetails {
    fn from(refused: QuotaError) -> Self {
        match refused {
            QuotaError::ForNow { retry_after_seconds } => Self::rate_limited(retry_after_seconds),
            QuotaError::ForEver { most } => {
                let detail =
                    format!("a batch of this length never passes; send at most {most} payloads in one");
                Self::rate_limited(NEVER_FITS_SECONDS).saying(detail)
            }
        }
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

/// Of a question, which has no effect.
impl From<&StoreError> for ProblemDetails {
    fn from(error: &StoreError) -> Self {
        failed(error, "the database is not available; ask again")
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
            CommitError::Store(error) => failed(
                &error,
                "the database is not available; whether this took effect is not known, send it again",
            ),
            CommitError::Died => Self::internal().because(&error),
        }
    }
}

/// What is answered where the store failed, with these words where it is away.
fn failed(error: &StoreError, away: &'static str) -> ProblemDetails {
    let details = match error {
        StoreError::Unavailable(_) => ProblemDetails::new(Problem::Overloaded, away),
        StoreError::Refused(_) | StoreError::Row(_) => ProblemDetails::internal(),
    };
    details.because(error)
}
