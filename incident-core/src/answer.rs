//! The words that server and phone share, and the status that goes with each: what happened, what went wrong, what to do next.

use crate::words::words;

words! {
    /// What a sync did to its incident.
    Outcome {
        /// The incident is new and open.
        Created = "created",
        /// The incident is new, and was called off before it arrived.
        CreatedAndCancelled = "createdAndCancelled",
        /// Nothing changed: a repeat.
        Unchanged = "unchanged",
        /// The open incident is now cancelled.
        Cancelled = "cancelled",
        /// It was cancelled before for another reason; the first reason stays, this one is kept in the history.
        AlreadyCancelled = "alreadyCancelled",
        /// The incident was erased; nothing brings it back.
        Erased = "erased",
    }
}

words! {
    /// What a client does after an answer, so that it needs no table of its own.
    Disposition {
        /// Done: keep the answer.
        Settled = "settled",
        /// Back off and send again.
        Retry = "retry",
        /// Pause everything until there is a new token.
        Reauth = "reauth",
        /// Keep the report, tell the user, go on with the others.
        Quarantine = "quarantine",
    }
}

words! {
    /// What went wrong: the slug behind `/problems/` in a problem's `type` (RFC 9457, section 3.1.1).
    Problem {
        /// Not JSON, not UTF-8, or bytes after the document.
        MalformedJson = "malformed-json",
        /// No, bad or expired token.
        Unauthorized = "unauthorized",
        /// The token lacks the scope; another token may have it.
        Forbidden = "forbidden",
        /// No such route, or no such incident for this caller.
        NotFound = "not-found",
        /// The incident was erased.
        Gone = "gone",
        /// The cursor is of another series of changes than this database's, or was never given out.
        CursorGone = "cursor-gone",
        /// The route does not take this method.
        MethodNotAllowed = "method-not-allowed",
        /// The incident exists with other facts.
        IdempotencyConflict = "idempotency-conflict",
        /// The request did not arrive in time, or not whole.
        RequestTimeout = "request-timeout",
        /// The request is over a limit of bytes or items.
        PayloadTooLarge = "payload-too-large",
        /// Not `application/json`, or a content encoding.
        UnsupportedMediaType = "unsupported-media-type",
        /// The payload breaks rules; all of them are listed.
        ValidationFailed = "validation-failed",
        /// The key that was sent cannot be the one of this report.
        IdempotencyKeyMismatch = "idempotency-key-mismatch",
        /// This identity sends too much.
        RateLimited = "rate-limited",
        /// A bug of the server.
        Internal = "internal",
        /// The server cannot commit at the moment.
        Overloaded = "overloaded",
    }
}

impl Outcome {
    /// The status of an answer that tells of it (RFC 9110, section 15.3).
    pub const fn status(self) -> u16 {
        match self {
            Self::Created | Self::CreatedAndCancelled => 201,
            Self::Unchanged | Self::Cancelled | Self::AlreadyCancelled | Self::Erased => 200,
        }
    }
}

impl Problem {
    /// The status of an answer that tells of it (RFC 9110, section 15.5; RFC 6585, section 4).
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedJson => 400,
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::IdempotencyConflict => 409,
            Self::Gone | Self::CursorGone => 410,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::ValidationFailed | Self::IdempotencyKeyMismatch => 422,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Overloaded => 503,
        }
    }

    /// What a client does about it.
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::Unauthorized | Self::Forbidden => Disposition::Reauth,
            Self::Gone => Disposition::Settled,
            Self::NotFound
            | Self::CursorGone
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::RateLimited
            | Self::Internal
            | Self::Overloaded => Disposition::Retry,
            Self::MalformedJson
            | Self::IdempotencyConflict
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::ValidationFailed
            | Self::IdempotencyKeyMismatch => Disposition::Quarantine,
        }
    }

    /// One short sentence for people, the same for every occurrence.
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedJson => "The body is not a JSON document",
            Self::Unauthorized => "A valid access token is required",
            Self::Forbidden => "The access token does not allow this",
            Self::NotFound => "There is nothing here for this caller",
            Self::Gone => "The incident was erased",
            Self::CursorGone => "The cursor is not of this database",
            Self::MethodNotAllowed => "This route does not take this method",
            Self::IdempotencyConflict => "The incident exists with other facts",
            Self::RequestTimeout => "The request did not arrive in time",
            Self::PayloadTooLarge => "The request is too large",
            Self::UnsupportedMediaType => "The body must be plain application/json",
            Self::ValidationFailed => "The request breaks one or more rules",
            Self::IdempotencyKeyMismatch => "The idempotency key does not belong to this report",
            Self::RateLimited => "Too many requests from this identity",
            Self::Internal => "The server has a bug",
            Self::Overloaded => "The server cannot commit at the moment",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_has_its_status() {
        let settled: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.status()).collect();
        let refused: Vec<_> = Problem::ALL.iter().map(|problem| problem.status()).collect();

        assert_eq!(settled, [201, 201, 200, 200, 200, 200]);
        let promised = [400, 401, 403, 404, 410, 410, 405, 409, 408, 413, 415, 422, 422, 429, 500, 503];
        assert_eq!(refused, promised);
    }
}
