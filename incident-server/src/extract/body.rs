//! The body of a request: plain JSON, within its limit, within its time.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use incident_core::Problem;

use crate::{limits::BODY_DEADLINE, problem::ProblemDetails};

/// A body of at most `MAX` bytes that says it is JSON; nothing of it is read yet but its bytes.
pub(crate) struct JsonBody<const MAX: usize>(pub(crate) Bytes);

impl<S: Sync, const MAX: usize> FromRequest<S> for JsonBody<MAX> {
    type Rejection = ProblemDetails;

    async fn from_request(request: Request, _: &S) -> Result<Self, ProblemDetails> {
        let (parts, body) = request.into_parts();
        check_media_type(&parts.headers)?;
        if announced_length(&parts.headers).is_some_and(|length| length > MAX as u64) {
            return Err(ProblemDetails::too_many_bytes(MAX));
        }
        let late = |_| ProblemDetails::new(Problem::RequestTimeout, "the body did not arrive within 30 s");
        tokio::time::timeout(BODY_DEADLINE, collect(body, MAX)).await.map_err(late)?.map(Self)
    }
}

async fn collect(body: Body, max: usize) -> Result<Bytes, ProblemDetails> {
    match Limited::new(body, max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(ProblemDetails::too_many_bytes(max)),
        Err(_) => {
            Err(ProblemDetails::new(Problem::RequestTimeout, "the body did not arrive whole; send it again"))
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
        return refused("the body must not be compressed: leave Content-Encoding away");
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
