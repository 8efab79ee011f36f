//! What is on its way between phones and server, and what happens to it there.

use axum::{body::Body, extract::Request};
use fastrand::Rng;
use futures_util::stream;
use incident_mobile_ffi::outbox::{Header, NetworkFailureKind, Upload, UploadResult};

use crate::server::{Answer, Pending, request};

/// An upload under way.
pub(crate) struct Flight {
    pub(crate) process: usize,
    /// Of the outbox that sent it: a later one of that process knows nothing of it.
    pub(crate) opening: u64,
    pub(crate) upload: Upload,
    /// At the server, unless that is gone.
    pub(crate) pending: Option<Pending>,
}

/// What happens to an upload on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing: it arrives.
    Arrives,
    /// It arrives twice.
    Doubled,
    /// It never arrives.
    RequestLost,
    /// It arrives when nobody waits for an answer any more.
    RequestLate,
    /// Half of it arrives.
    RequestCut,
    /// Somebody else answers in the server's place.
    Portal,
    /// The app does not hand back what came of it.
    Abandoned,
}

impl Fault {
    pub(crate) fn choose(rng: &mut Rng) -> Self {
        match rng.u8(..20) {
            0 | 1 => Self::Doubled,
            2 => Self::RequestLost,
            3 => Self::RequestLate,
            4 => Self::RequestCut,
            5 => Self::Portal,
            6 => Self::Abandoned,
            _ => Self::Arrives,
        }
    }
}

/// The request that an upload is.
pub(crate) fn of(upload: &Upload, token: Option<&str>, is_cut: bool) -> Request {
    let body = if is_cut {
        let half = upload.body[..upload.body.len() / 2].to_vec();
        let parts = [Ok(half), Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof))];
        Body::from_stream(stream::iter(parts))
    } else {
        Body::from(upload.body.clone())
    };
    let mut request = request(&upload.method, &upload.path, token, body);
    for header in &upload.headers {
        let name = header.name.parse::<axum::http::HeaderName>().expect("a header's name");
        request.headers_mut().insert(name, header.value.parse().expect("a header's value"));
    }
    request
}

/// No answer.
pub(crate) fn failure(kind: NetworkFailureKind, sent: bool) -> UploadResult {
    UploadResult::NetworkFailure { kind, detail: String::new(), sent }
}

/// No answer, for one of the reasons there are.
pub(crate) fn any_failure(rng: &mut Rng) -> UploadResult {
    use NetworkFailureKind::{Offline, Other, Refused, TimedOut, Tls};
    let kinds = [Offline, Tls, Refused, TimedOut, Other];
    failure(kinds[rng.usize(..kinds.len())], rng.bool())
}

/// The answer of a portal, a firewall or a proxy.
pub(crate) fn portal(rng: &mut Rng) -> UploadResult {
    let pages: [(i64, &[u8]); 12] = [
        (200, b"<html>Welcome to our guest network</html>"),
        (200, b""),
        (200, br#"{"results":[]}"#),
        (200, br#"{"disposition":"settled"}"#),
        (302, b""),
        (401, b"<html>"),
        (403, b"<html>blocked</html>"),
        (404, b"not here"),
        (407, b""),
        (413, b"<html>nginx</html>"),
        (502, b"<html>bad gateway</html>"),
        (511, b""),
    ];
    let (status, body) = pages[rng.usize(..pages.len())];
    let headers = if rng.u8(..4) == 0 { vec![("retry-after", "120")] } else { Vec::new() };
    let header = |(name, value): (&str, &str)| Header { name: name.into(), value: value.into() };
    UploadResult::Response { status, headers: headers.into_iter().map(header).collect(), body: body.to_vec() }
}

/// An answer as a phone is given it.
pub(crate) fn result(answer: &Answer) -> UploadResult {
    let headers = answer.headers.iter().filter_map(|(name, value)| {
        Some(Header { name: name.as_str().to_owned(), value: value.to_str().ok()?.to_owned() })
    });
    UploadResult::Response {
        status: i64::from(answer.status),
        headers: headers.collect(),
        body: answer.body.clone(),
    }
}

/// An answer that ends too early, and nobody noticed on the way.
pub(crate) fn cut(answer: &Answer, rng: &mut Rng) -> UploadResult {
    let mut cut = answer.clone();
    cut.body.truncate(rng.usize(..=answer.body.len()));
    result(&cut)
}
