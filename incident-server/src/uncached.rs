//! What every answer below `/api` says beside its content, problems, streams and wrong addresses too: who was
//! where is not for caches, and JSON is nothing that a browser should guess about.

use axum::{
    http::{HeaderValue, Uri, header},
    response::Response,
};

/// Whether an address is below `/api`.
pub(crate) fn is_below_api(address: &Uri) -> bool {
    address.path().strip_prefix("/api").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Adds the headers to an answer from below `/api`.
pub(crate) fn say_so(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
