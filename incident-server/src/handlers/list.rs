//! `GET /api/incidents`

use std::sync::Arc;

use axum::{Extension, Json, extract::State};

use crate::{
    App, audit,
    auth::Caller,
    extract::{ListCursor, ListParameters},
    openapi,
    problem::ProblemDetails,
    store::ListQuery,
    usage::Usage,
    views::incident::{IncidentPageView, IncidentView},
};

/// List incidents, newest first
///
/// Own ones that are not anonymous; all with the scope `incidents:read`.
#[utoipa::path(
    get, path = "/api/incidents", tag = "read", operation_id = "listIncidents",
    params(ListParameters),
    responses(
        (status = 200, description = "A page of incidents", body = inline(IncidentPageView)),
        openapi::ListProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn list_incidents(
    State(app): State<App>,
    caller: Caller,
    parameters: ListParameters,
) -> Result<(Extension<Arc<Usage>>, Json<IncidentPageView>), ProblemDetails> {
    let query = query(&caller, parameters);
    let page = app.store().incidents_to_show(&query).await?;
    audit::list(&caller, &query, &page);
    let next_cursor = page.next.map(|last| ListCursor(last).to_string());
    let incidents = page.incidents.into_iter();
    let incidents = incidents.filter_map(|stored| IncidentView::read(stored, caller.may_read_all)).collect();
    Ok((Extension(caller.usage), Json(IncidentPageView { incidents, next_cursor })))
}

fn query(caller: &Caller, parameters: ListParameters) -> ListQuery {
    ListQuery {
        reporter: (!caller.may_read_all).then(|| caller.reporter.clone()),
        status: parameters.status,
        location_id: parameters.location_id,
        created_after: parameters.created_after,
        created_before: parameters.created_before,
        after: parameters.cursor.map(|cursor| cursor.0),
        limit: parameters.limit,
    }
}
