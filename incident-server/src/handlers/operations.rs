//! `GET /healthz`, `GET /readyz`, `GET /metrics`

use axum::{Json, extract::State, http::header, response::IntoResponse};

use crate::{App, metrics, openapi, problem::ProblemDetails, views::incident::Health};

/// Is the process alive?
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "operations",
    operation_id = "healthz",
    responses(
        (status = 200, description = "The server's state", body = inline(Health)),
        openapi::OperationsProblems,
    )
)]
pub(crate) async fn healthz() -> Json<Health> {
    Json(Health { status: "alive" })
}

/// Can the server commit?
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "operations",
    operation_id = "readyz",
    responses(
        (status = 200, description = "The server's state", body = inline(Health)),
        openapi::ReadinessProblems,
    )
)]
pub(crate) async fn readyz(State(app): State<App>) -> Result<Json<Health>, ProblemDetails> {
    app.ready().await?;
    Ok(Json(Health { status: "ready" }))
}

/// Counters for Prometheus
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "operations",
    operation_id = "metrics",
    responses(
        (
            status = 200, body = String, content_type = "application/openmetrics-text",
            description = "Counters in the `OpenMetrics` text format",
        ),
        openapi::OperationsProblems,
    )
)]
pub(crate) async fn get_metrics(State(app): State<App>) -> impl IntoResponse {
    if let Some(bytes) = app.store().log_bytes() {
        app.metrics().log(bytes);
    }
    app.metrics().pools(&app.store().pools());
    if let Some(partitions) = app.store().partitions() {
        app.metrics().partitions(partitions);
    }
    app.metrics().key_set(app.verifier().key_set());
    ([(header::CONTENT_TYPE, metrics::MEDIA_TYPE)], app.metrics().text())
}
