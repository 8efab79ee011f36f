//! When a problem is answered and what to do about it, in words for people: the text of `/problems/<slug>`.

use incident_core::{Disposition, Problem};

/// The words on one problem. Plain text without markup.
pub(crate) struct Advice {
    /// In which cases it is answered.
    pub(crate) when: &'static str,
    /// What whoever meets it does.
    pub(crate) what_to_do: &'static str,
}

const fn advice(when: &'static str, what_to_do: &'static str) -> Advice {
    Advice { when, what_to_do }
}

impl Advice {
    /// The words on this problem.
    pub(crate) const fn on(problem: Problem) -> Self {
        match problem {
            Problem::MalformedJson => advice(
                "The body is no JSON document in UTF-8: it ends too early, something stands behind its end, a string holds half of a surrogate pair, or a number is larger than any double.",
                "Look at the place that detail names, repair what writes the body, and send it again. The report itself is not lost: keep it.",
            ),
            Problem::Unauthorized => advice(
                "The request has no access token, more than one, or one that this server does not take: it is expired or not valid yet, signed with another key, or meant for another issuer or audience.",
                "Get a new token from your identity provider and send it as Authorization: Bearer. Nothing else need change. If new tokens are refused too, compare the server's settings that begin with INCIDENT_AUTH with what the tokens say.",
            ),
            Problem::Forbidden => advice(
                "The access token is valid, but lacks the scope that this route asks for; detail names it.",
                "Ask your identity provider for a token with that scope in its claim scope, and send the request again with it.",
            ),
            Problem::NotFound => advice(
                "There is no such route, or no incident with this id, or one that this caller may not see. These two are answered alike, so that nobody learns which ids exist.",
                "Compare the address with the API document. For an incident: sign in as who reported it, or with the scope incidents:read.",
            ),
            Problem::Gone => advice(
                "The incident existed and was erased. Nothing but its id and two moments is left of it.",
                "Erase your copy of it, too. Sending the report again does not bring it back.",
            ),
            Problem::CursorGone => advice(
                "This database never gave out this cursor of the changes. It was restored from a backup since, or the cursor comes from another server.",
                "What you hold may include incidents that the database no longer has. Read everything anew: the changes without after, or the lists and then the changes from after=latest.",
            ),
            Problem::MethodNotAllowed => advice(
                "The route exists and takes other methods; the header Allow names them.",
                "Compare method and address with the API document.",
            ),
            Problem::IdempotencyConflict => advice(
                "This person reported an incident at this very millisecond before, with other facts; fields names those that differ. What is stored stays as it is.",
                "Compare both reports. If they are two incidents, report the second one with another createdAt. If they are one, what was stored first counts; only a cancellation may be added to it.",
            ),
            Problem::RequestTimeout => advice(
                "The head or the body of the request did not arrive in time, or the body ended before the length that was announced.",
                "Send it again, later if the network is bad. Nothing was stored.",
            ),
            Problem::PayloadTooLarge => advice(
                "The body has more bytes than maxBytes, or a batch has more reports than maxItems.",
                "Send fewer reports at once. A single report of this size is no report that a person wrote: keep it and tell the user.",
            ),
            Problem::UnsupportedMediaType => advice(
                "The body is not said to be application/json in UTF-8, or it is compressed.",
                "Send Content-Type: application/json and no Content-Encoding.",
            ),
            Problem::ValidationFailed => advice(
                "The request can be read, but breaks one or more rules. errors lists all of them: where (pointer), which rule (code) and in words (detail).",
                "Correct what pointer names and send it again. A report that cannot be corrected is kept, and the user is told.",
            ),
            Problem::IdempotencyKeyMismatch => advice(
                "The idempotency key that was sent is not the one that belongs to this report: client and server disagree about who reports or when.",
                "Send the report with the token of the person who made it, and derive the key as the documents say. A key of your own making is taken for anonymous reports only, and begins with the milliseconds of createdAt.",
            ),
            Problem::RateLimited => advice(
                "This identity asks more often than the server allows.",
                "Wait as long as Retry-After says, then send it again. Many reports fit into one batch, which counts as one request.",
            ),
            Problem::Internal => advice(
                "The server met a case that it does not know. It is a bug of the server or a damaged database, and no fault of the request.",
                "Send it again later. Give the request's id, which is in detail, to whoever runs the server: the log tells more under it.",
            ),
            Problem::Overloaded => advice(
                "The server cannot commit at the moment: too many requests wait, the database or the key set is away, or the server is being stopped. Whether the request took effect may be unknown.",
                "Wait as long as Retry-After says and send the same request again: whatever happened, it is stored once. Whoever runs the server finds the cause in its log.",
            ),
        }
    }
}

/// What a client does after an answer with this disposition.
pub(crate) const fn of_disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Settled => "it is done: keep the answer",
        Disposition::Retry => "back off, then send the same again",
        Disposition::Reauth => "pause everything until there is a new token",
        Disposition::Quarantine => "keep the report, tell the user, go on with the others",
    }
}
