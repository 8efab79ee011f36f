//! The body of a request: plain JSON, within its limit, within its time.

use std::{ops::Deref, sync::Arc};

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use incident_core::Problem;

use crate::{
    App,
    budget::{Budget, Held},
    limits::{BODY_DEADLINE, FREE_BODY_BYTES},
    problem::ProblemDetails,
    usage::Usage,
};

/// A body of at most `MAX` bytes that says it is JSON; nothing of it is read yet but its bytes.
pub(crate) struct JsonBody<const MAX: usize>(pub(crate) JsonBytes);

/// The bytes of a body, and what they hold of the budget.
pub(crate) struct JsonBytes {
    bytes: Bytes,
    _held: Held,
}

impl Deref for JsonBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<const MAX: usize> FromRequest<App> for JsonBody<MAX> {
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, app: &App) -> Result<Self, ProblemDetails> {
        let (mut parts, body) = request.into_parts();
        check_media_type(&parts.headers)?;
        let announced = announced_length(&parts.headers);
        if announced.is_some_and(|length| length > MAX as u64) {
            return Err(ProblemDetails::too_many_bytes(MAX));
        }
        let usage = parts.extensions.remove::<Arc<Usage>>().ok_or_else(ProblemDetails::internal)?;
        let late = |_| ProblemDetails::new(Problem::RequestTimeout, "the body did not arrive within 30 s");
        let collecting = Collecting { budget: app.budget(), usage: &usage, held: Held::default(), max: MAX };
        tokio::time::timeout(BODY_DEADLINE, collecting.all_of(body)).await.map_err(late)?.map(Self)
    }
}

/// A body as it comes in. Its bytes are counted as they come: one that is only announced holds nothing.
struct Collecting<'a> {
    budget: &'a Budget,
    usage: &'a Usage,
    held: Held,
    max: usize,
}

impl Collecting<'_> {
    async fn all_of(mut self, mut body: Body) -> Result<JsonBytes, ProblemDetails> {
        let first = next_part(&mut body).await?.unwrap_or_default();
        self.count(0, first.len())?;
        if body.is_end_stream() {
            return Ok(JsonBytes { bytes: first, _held: self.held });
        }
        // Copied: a part as it is keeps the whole buffer of its connection.
        let mut bytes = first.to_vec();
        drop(first);
        while let Some(part) = next_part(&mut body).await? {
            self.count(bytes.len(), part.len())?;
            bytes.extend_from_slice(&part);
        }
        Ok(JsonBytes { bytes: bytes.into(), _held: self.held })
    }

    /// What lies within the free bytes is not counted at all.
    fn count(&mut self, before: usize, more: usize) -> Result<(), ProblemDetails> {
        let after = before + more;
        if after > self.max {
            return Err(ProblemDetails::too_many_bytes(self.max));
        }
        let counted = after.saturating_sub(FREE_BODY_BYTES) - before.saturating_sub(FREE_BODY_BYTES);
        if counted == 0 { Ok(()) } else { self.budget.grow(&mut self.held, self.usage, counted) }
    }
}

/// The next bytes; trailers are passed over.
async fn next_part(body: &mut Body) -> Result<Option<Bytes>, ProblemDetails> {
    loop {
        match body.frame().await.transpose() {
            Ok(None) => return Ok(None),
            Ok(Some(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    return Ok(Some(bytes));
                }
            }
            Err(_) => {
                let detail = "the body did not arrive whole; send it again";
                return Err(ProblemDetails::new(Problem::RequestTimeout, detail));
            }
        }
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn check_media_type(headers: &HeaderMap) -> Result<(), ProblemDetails> {
    let refused = |detail: &str| Err(ProblemDetails::new(Problem::UnsupportedMediaType, detail));
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if !encodings.all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return refused("the body must not be compressed: leave Content-Encoding out");
    }
    let mut media_types = headers.get_all(header::CONTENT_TYPE).iter();
    let media_type = media_types.next().and_then(|value| value.to_str().ok());
    if media_type.is_some_and(is_utf8_json) && media_types.next().is_none() {
        Ok(())
    } else {
        refused("send Content-Type: application/json")
    }
}

/// Media type and parameters as RFC 9110, section 8.3.1 has them: any letter case, values perhaps quoted.
fn is_utf8_json(media_type: &str) -> bool {
    let mut parts = media_type.split(';').map(str::trim);
    let json = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"));
    json && parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.trim().eq_ignore_ascii_case("charset")
            || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_utf8_is_taken_in_every_spelling_and_nothing_else() {
        for taken in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
            "application/json; v=1",
        ] {
            assert!(is_utf8_json(taken), "{taken}");
        }
        for refused in [
            "",
            "text/plain",
            "application/json+x",
            "application/problem+json",
            "application/json; charset=latin1",
        ] {
            assert!(!is_utf8_json(refused), "{refused}");
        }
    }
}
