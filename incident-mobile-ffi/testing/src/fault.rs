//! What a test may let go wrong on the way.

use incident_core::Problem;

use crate::{
    answer::{self, Refused, header},
    exchange::{Answer, FailureKind},
};

/// What becomes of an upload instead of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum FakeFault {
    /// There is no network; nothing reached the server.
    Offline,
    /// The server took it, and its answer was lost on the way.
    LostAnswer,
    /// So slow a line that the time was over before the server had all of it.
    SlowLine,
    /// The server takes the token for expired: 401.
    Unauthorized,
    /// A firewall on the way refuses it with a page of its own: 403, which is no word of the server's.
    Firewall,
    /// The server asks for patience: 429.
    Busy {
        /// For how many seconds.
        retry_after_s: i64,
    },
    /// Somebody else has a report of this name: 409 for each entry.
    Conflict,
}

impl FakeFault {
    /// What comes back for one that needs no look at the upload.
    pub(crate) fn result(self) -> Answer {
        match self {
            Self::Offline => failure(FailureKind::Offline, "there is no network", false),
            Self::SlowLine => failure(FailureKind::TimedOut, "no answer in time", true),
            Self::LostAnswer | Self::Conflict => lost(),
            Self::Unauthorized => {
                answer::whole(&Refused::new(Problem::Unauthorized, "the token has expired"))
            }
            Self::Firewall => Answer::Response {
                status: 403,
                headers: vec![header("Content-Type", "text/html")],
                body: b"<html><h1>Blocked by your organisation</h1></html>".to_vec(),
            },
            Self::Busy { retry_after_s } => {
                let refused = Refused::new(Problem::RateLimited, &format!("send again in {retry_after_s} s"));
                answer::with_header(answer::whole(&refused), "Retry-After", &retry_after_s.to_string())
            }
        }
    }
}

/// The connection broke before the answer came.
pub(crate) fn lost() -> Answer {
    failure(FailureKind::Other, "the connection broke before the answer came", true)
}

fn failure(kind: FailureKind, detail: &str, sent: bool) -> Answer {
    Answer::NetworkFailure { kind, detail: detail.to_owned(), sent }
}
