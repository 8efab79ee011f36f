//! What a browser may do with the board: run and load its own files, ask its own server, nothing else.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::Response,
};

/// `require-trusted-types-for` lets no script turn text into markup, so that no text of a report ever can.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
     require-trusted-types-for 'script'; trusted-types 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // After an upgrade of the program nobody runs half of the board before.
    (header::CACHE_CONTROL, "no-cache"),
];

/// The page of the API needs styles that its scripts write; its scripts are its own files all the same.
const CONTENT_SECURITY_POLICY_OF_DOCS: &str = "default-src 'none'; script-src 'self'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Adds the headers to an answer of `/docs`, where a token is typed in, too.
pub(crate) async fn guard_docs(response: Response) -> Response {
    let mut response = guard(response).await;
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY_OF_DOCS);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// Adds the headers to an answer of the board.
pub(super) async fn guard(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
