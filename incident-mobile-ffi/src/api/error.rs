//! What can go wrong, and what to do about it.

use incident_core::DecodeError;

use crate::outbox::{self, Violation};

/// Why an outbox did not do what it was asked. Nothing is lost by any of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum OutboxError {
    /// The draft or the reason breaks rules: correct it.
    #[error("{}", violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid {
        /// All of them.
        violations: Vec<Violation>,
    },
    /// The text is no JSON document.
    #[error("{detail}")]
    Malformed {
        /// Where it stops being one.
        detail: String,
    },
    /// The reporter's identity is none that a token could carry.
    #[error("a reporter's identity has 1 to 255 characters and no control character")]
    InvalidReporter,
    /// The call asks for what cannot be, such as a list of fewer than no entries: correct the code.
    #[error("{detail}")]
    InvalidArgument {
        /// What is wrong with it.
        detail: String,
    },
    /// The report was called off before, for another reason.
    #[error("the report is already cancelled for another reason, which stays")]
    AlreadyCancelled,
    /// This reporter has no entry of that key.
    #[error("this reporter has no such entry, or no longer: look at the list again")]
    NotFound,
    /// The entry still waits to be sent: cancel it instead.
    #[error("an entry that still waits to be sent is not discarded: cancel it instead")]
    StillPending,
    /// The queue holds as much as it may: sync first.
    #[error("the outbox holds as much as it may: sync, then report again")]
    Full,
    /// The device has no room left: free some.
    #[error("the device has no room left: free some, then try again")]
    NoSpace,
    /// The file cannot be used at the moment and was not touched: try again later.
    #[error("{detail}")]
    Unavailable {
        /// What the system says.
        detail: String,
    },
    /// The file was corrupt while in use and has been repaired: ask again.
    #[error("the outbox was corrupt and has been repaired; ask again")]
    Corrupt,
    /// A newer version of the app wrote the file: update.
    #[error("a newer version has taken the outbox over, and nothing is lost: update this one")]
    NewerSchema,
    /// The outbox was closed: open it again.
    #[error("the outbox is closed: open it again")]
    Closed,
}

impl From<outbox::OutboxError> for OutboxError {
    fn from(error: outbox::OutboxError) -> Self {
        use outbox::OutboxError as Inner;
        match error {
            Inner::Invalid(violations) => {
                Self::Invalid { violations: violations.into_iter().map(Into::into).collect() }
            }
            Inner::InvalidArgument(detail) => Self::InvalidArgument { detail: detail.to_owned() },
            Inner::AlreadyCancelled => Self::AlreadyCancelled,
            Inner::NotFound => Self::NotFound,
            Inner::StillPending => Self::StillPending,
            Inner::Full => Self::Full,
            Inner::NoSpace(_) => Self::NoSpace,
            Inner::Unavailable(source) => Self::Unavailable { detail: source.to_string() },
            Inner::Corrupt => Self::Corrupt,
            Inner::NewerSchema => Self::NewerSchema,
        }
    }
}

impl From<DecodeError> for OutboxError {
    fn from(refusal: DecodeError) -> Self {
        match refusal {
            DecodeError::Malformed(_) => Self::Malformed { detail: refusal.to_string() },
            DecodeError::Invalid(violations) => outbox::OutboxError::Invalid(violations).into(),
        }
    }
}
