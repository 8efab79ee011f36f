//! The route table and its layers, on one screen.

use std::sync::LazyLock;

use axum::{
    Router,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use incident_core::Problem;
use utoipa::{OpenApi, openapi::OpenApi as Document};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    App, board,
    handlers::{batch, changes, erase, history, incident, list, operations, problem_page, sync},
    openapi,
    problem::ProblemDetails,
    request::observe,
};

fn api() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Base::openapi())
        .routes(routes!(sync::sync))
        .routes(routes!(batch::sync_batch))
        .routes(routes!(list::list_incidents, erase::erase_incidents_of_reporter))
        .routes(routes!(changes::list_changes))
        .routes(routes!(incident::get_incident, erase::erase_incident))
        .routes(routes!(history::get_history))
        .routes(routes!(problem_page::get_problem_page))
}

fn for_operators() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(operations::healthz))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::get_metrics))
}

/// Whether this is the path of one of the routes for operators.
pub(crate) fn is_for_operators(path: &str) -> bool {
    matches!(path, "/healthz" | "/readyz" | "/metrics")
}

/// Whether this is the path of one of the routes that ask for a token, or below one: what is not there is told by the
/// same routes.
pub(crate) fn asks_for_a_token(path: &str) -> bool {
    path.strip_prefix("/api/incidents").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The OpenAPI 3.1 document of the routes.
pub fn document() -> Document {
    openapi::complete(api().merge(for_operators()).into_openapi())
}

/// All routes, ready to be merged into another axum router.
///
/// Unknown methods are answered with problem details; unknown paths are left to the other router.
///
/// ```no_run
/// # async fn mount(app: incident_server::App) {
/// let backend = axum::Router::new().route("/hello", axum::routing::get(|| async { "hello" }));
/// let backend: axum::Router = backend.merge(incident_server::router(app));
/// # }
/// ```
pub fn router(app: App) -> Router {
    static ROUTES: LazyLock<Router<App>> =
        LazyLock::new(|| Router::from(api().merge(for_operators())).merge(docs()));
    // Made once: its document takes longer than all else, and a program may mount many apps.
    observed(ROUTES.clone(), app)
}

/// All routes, the board, and problem details for every other path: the whole of a server.
pub fn standalone(app: App) -> Router {
    observed(Router::from(api().merge(for_operators())).merge(pages()).fallback(not_found), app)
}

/// As [`standalone`], without the routes for operators.
pub(crate) fn for_the_public(app: App) -> Router {
    observed(Router::from(api()).merge(pages()).fallback(not_found), app)
}

/// `/healthz`, `/readyz` and `/metrics` alone, for an address that strangers do not reach.
pub fn operations(app: App) -> Router {
    observed(Router::from(for_operators()).fallback(not_found_by_operators), app)
}

fn pages() -> Router<App> {
    docs().merge(board::board())
}

/// The page and the document; a file that the page does not have is a problem like any other.
fn docs() -> Router<App> {
    let docs: Router<App> = SwaggerUi::new("/docs").url("/openapi.json", document()).into();
    let docs = docs.layer(middleware::map_response(async |response: Response| match response.status() {
        StatusCode::NOT_FOUND => not_found().await.into_response(),
        _ => response,
    }));
    docs.layer(middleware::map_response(board::guard_docs))
}

fn observed(routes: Router<App>, app: App) -> Router {
    let routes = routes.method_not_allowed_fallback(method_not_allowed);
    routes.layer(middleware::from_fn_with_state(app.clone(), observe)).with_state(app)
}

async fn not_found() -> ProblemDetails {
    ProblemDetails::new(Problem::NotFound, "there is no such route; /docs lists them").for_a_stranger()
}

async fn not_found_by_operators() -> ProblemDetails {
    let detail = "there is no such route here, but /healthz, /readyz and /metrics";
    not_found().await.saying(detail)
}

async fn method_not_allowed() -> ProblemDetails {
    ProblemDetails::new(Problem::MethodNotAllowed, "this route takes other methods, see Allow")
        .for_a_stranger()
}
