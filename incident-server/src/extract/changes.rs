//! Where a reader of changes goes on, and how it wants them.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use incident_core::{Code, Problem};

use super::query::Query;
use crate::{
    problem::ProblemDetails,
    store::{Horizon, Position},
};

pub(super) const DEFAULT_LIMIT: usize = 100;
pub(super) const MAX_LIMIT: usize = 1000;
const LAST_EVENT_ID: &str = "last-event-id";
const LATEST: &str = "latest";

/// Where a reader of changes goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Behind this one.
    Position(Position),
    /// Behind all that is there now: with the next change.
    Latest,
}

impl After {
    /// The position behind which to read.
    ///
    /// # Errors
    /// This database never gave it out: it was restored from a backup since, or another one did.
    pub(crate) fn position(self, horizon: &Horizon) -> Result<Position, ProblemDetails> {
        match self {
            Self::Position(position) if position > horizon.newest => Err(cursor_gone()),
            Self::Position(position) => Ok(position),
            Self::Latest => Ok(horizon.settled),
        }
    }
}

fn cursor_gone() -> ProblemDetails {
    let detail =
        "this database never gave the cursor out; begin without one, or read the lists and go on at latest";
    ProblemDetails::new(Problem::CursorGone, detail)
}

/// What a reader of changes asks for.
pub(crate) struct ChangesParameters {
    pub(crate) after: After,
    pub(crate) limit: i64,
    /// Whether the answer is to go on for ever.
    pub(crate) as_stream: bool,
}

impl<S: Sync> FromRequestParts<S> for ChangesParameters {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        let as_stream = accepts_stream(&parts.headers);
        let mut query = Query::read(parts.uri.query().unwrap_or_default());
        let rule = "must be latest, a nextCursor or the cursor of a change";
        let after = query.get("after", Code::UnknownValue, rule, after);
        let limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT);
        // A browser that connects again repeats the address and adds where it was.
        let last_event_id = parts.headers.get(LAST_EVENT_ID).filter(|id| as_stream && !id.is_empty());
        let resumed = last_event_id.map(|id| id.to_str().ok().and_then(cursor));
        if resumed == Some(None) {
            query.refuse("Last-Event-ID", Code::UnknownValue, "must be the id of an event");
        }
        query.finish(Self {
            after: resumed.flatten().or(after).unwrap_or(After::Position(Position::START)),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            as_stream,
        })
    }
}

fn after(text: &str) -> Option<After> {
    if text == LATEST { Some(After::Latest) } else { cursor(text) }
}

/// A position in decimal. Opaque on the wire.
fn cursor(text: &str) -> Option<After> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits).map(|position| After::Position(Position(position)))
}

/// Whether the caller names the media type of an event stream as acceptable (RFC 9110, section 12.5.1).
fn accepts_stream(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|range| {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("text/event-stream"));
        named && !parts.any(|part| part.strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(position: i64) -> After {
        After::Position(Position(position))
    }

    #[test]
    fn a_cursor_is_a_position_in_decimal_and_nothing_else() {
        assert_eq!((cursor("0"), cursor("17")), (Some(behind(0)), Some(behind(17))));
        for refused in ["", "latest", "-1", "+1", "x", "1.0", " 1", "9223372036854775808"] {
            assert_eq!(cursor(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_stream_is_for_those_who_name_it() {
        let accepts = |value: &'static str| {
            accepts_stream(&HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())]))
        };
        assert!(accepts("text/event-stream") && accepts("application/json;q=0.5, Text/Event-Stream; q=0.9"));
        assert!(!accepts("*/*") && !accepts("application/json") && !accepts("text/event-stream;q=0"));
        assert!(!accepts_stream(&HeaderMap::new()));
    }
}
