//! What every answer below `/api` says beside its content, problems, streams and wrong addresses too: who was
//! where is not for caches, and JSON is nothing that a browser should guess about.

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// Adds the headers to what is below `/api`.
pub(crate) async fn uncached(request: Request, next: Next) -> Response {
    let below_api = request.uri().path().strip_prefix("/api");
    let below_api = below_api.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut response = next.run(request).await;
    if below_api {
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    response
}
