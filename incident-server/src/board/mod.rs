//! The responders' board: a page at `/` that shows incidents as they come in.
//!
//! Its files are part of the program; a browser gets nothing from anywhere else and may run nothing else.
//! It has no way of its own to the data: it reads the API with the token that its user pastes.

mod assets;
mod headers;

pub(crate) use headers::guard_docs;

use axum::{
    Router,
    extract::Path,
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::get,
};
use incident_core::Problem;

use crate::problem::ProblemDetails;

/// The page at `/` and its files under `/board/`, to be merged beside [`router`](crate::router).
///
/// ```no_run
/// # async fn mount(app: incident_server::App) {
/// let backend: axum::Router = incident_server::router(app).merge(incident_server::board());
/// # }
/// ```
pub fn board<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/board/{*file}", get(file))
        .layer(middleware::map_response(headers::guard))
}

async fn page() -> Response {
    serve("index.html")
}

async fn file(Path(name): Path<String>) -> Response {
    serve(&name)
}

fn serve(name: &str) -> Response {
    match assets::find(name) {
        Some(asset) => {
            (StatusCode::OK, [(header::CONTENT_TYPE, asset.media_type())], asset.bytes).into_response()
        }
        None => ProblemDetails::new(Problem::NotFound, "the board has no such file")
            .for_a_stranger()
            .into_response(),
    }
}
