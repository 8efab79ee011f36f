//! Where a reader of changes goes on, and how it wants them.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use incident_core::Code;
use utoipa::IntoParams;

use super::query::Query;
use crate::{cursor::After, problem::ProblemDetails};

pub(super) const DEFAULT_LIMIT: usize = 100;
pub(super) const MAX_LIMIT: usize = 1000;
const LAST_EVENT_ID: &str = "last-event-id";
const LATEST: &str = "latest";

/// What a reader of changes asks for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ChangesParameters {
    /// The `nextCursor` of the page before or the `cursor` of a change; from the beginning without. `latest` is the
    /// place behind all changes that are there. The header `Last-Event-ID` of a stream wins over it.
    #[param(value_type = Option<String>, min_length = 1, required = false, nullable = false)]
    pub(crate) after: After,
    /// At most so many a page, 100 unless given.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000, required = false, nullable = false)]
    pub(crate) limit: i64,
    /// Whether the answer is to go on for ever.
    #[param(ignore)]
    pub(crate) as_stream: bool,
}

impl<S: Sync> FromRequestParts<S> for ChangesParameters {
    type Rejection = ProblemDetails;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ProblemDetails> {
        let as_stream = accepts_stream(&parts.headers);
        // A browser that connects again repeats the address and adds where it was.
        let last_event_id = parts.headers.get(LAST_EVENT_ID).filter(|id| as_stream && !id.is_empty());
        let parameters = Self::read(parts.uri.query().unwrap_or_default(), last_event_id)?;
        Ok(Self { as_stream, ..parameters })
    }
}

impl ChangesParameters {
    /// Reads the query of an address, for a page, and the header of a stream that goes on.
    pub(crate) fn read(query: &str, last_event_id: Option<&HeaderValue>) -> Result<Self, ProblemDetails> {
        let mut query = Query::read(query);
        let rule = "must be latest, a nextCursor or the cursor of a change";
        let after = query.get("after", Code::UnknownValue, rule, after);
        let limit = query.limit(DEFAULT_LIMIT, MAX_LIMIT);
        let resumed = last_event_id.map(|id| id.to_str().ok().and_then(After::cursor));
        if resumed == Some(None) {
            query.refuse("Last-Event-ID", Code::UnknownValue, "must be the id of an event");
        }
        query.finish(Self {
            after: resumed.flatten().or(after).unwrap_or(After::Beginning),
            limit: i64::try_from(limit).unwrap_or(i64::MAX),
            as_stream: false,
        })
    }
}

fn after(text: &str) -> Option<After> {
    if text == LATEST { Some(After::Latest) } else { After::cursor(text) }
}

/// Whether the caller names the media type of an event stream, and prefers no JSON (RFC 9110, section 12.5.1).
fn accepts_stream(headers: &HeaderMap) -> bool {
    let weight = |media_type: &str| {
        let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges = values.flat_map(|value| value.split(','));
        ranges.filter_map(|range| weight(range, media_type)).fold(0.0, f32::max)
    };
    let stream = weight("text/event-stream");
    stream > 0.0 && stream >= weight("application/json")
}

/// What a range that names this media type says of it.
fn weight(range: &str, media_type: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    let named = parts.next()?.eq_ignore_ascii_case(media_type);
    named.then(|| parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_for_those_who_name_it() {
        let accepts = |value: &'static str| {
            accepts_stream(&HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())]))
        };
        assert!(accepts("text/event-stream") && accepts("application/json;q=0.5, Text/Event-Stream; q=0.9"));
        assert!(
            accepts("text/event-stream, application/json;q=0.9") && accepts("text/event-stream, */*;q=0.1")
        );
        assert!(!accepts("text/event-stream;q=0.1, application/json"));
        assert!(!accepts("*/*") && !accepts("application/json") && !accepts("text/event-stream;q=0"));
        assert!(!accepts_stream(&HeaderMap::new()));
    }
}
