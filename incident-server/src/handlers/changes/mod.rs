//! `GET /api/incidents/changes`

mod follower;

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
};

use self::follower::Follower;
use crate::{
    App, audit,
    cursor::After,
    extract::{ChangesParameters, ReadsAll},
    limits::STREAM_PAGE,
    openapi,
    problem::ProblemDetails,
    store,
    views::changes::ChangePageView,
};

/// Half of what is promised, so that a busy moment breaks nothing.
const COMMENT_EVERY: Duration = Duration::from_secs(7);
/// Asks proxies not to hold the stream back.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// Follow the history of all incidents
///
/// In commit order, none ever skipped. `after=latest` begins with the next change. With `Accept: text/event-stream`
/// the answer goes on for as long as the token is valid and its key is in force; whoever is cut off resumes with
/// `Last-Event-ID`.
#[utoipa::path(
    get, path = "/api/incidents/changes", tag = "read", operation_id = "listChanges",
    params(ChangesParameters),
    responses(
        (
            status = 200,
            description = "A page; or with `Accept: text/event-stream` the same as a stream: `id:` the cursor, \
                           `event:` the kind, `data:` the change, and a comment line at least every 15 s",
            content((ChangePageView = "application/json"), (String = "text/event-stream")),
        ),
        openapi::ChangesProblems,
    ),
    security(("bearer" = [])),
)]
pub(crate) async fn list_changes(
    State(app): State<App>,
    ReadsAll(caller): ReadsAll,
    parameters: ChangesParameters,
) -> Result<Response, ProblemDetails> {
    let ChangesParameters { after, limit, as_stream } = parameters;
    let begins_with_the_next = after == After::Latest;
    let after = after.resolve(&app.store().horizon().await?)?;
    let limit = if as_stream { limit.min(STREAM_PAGE) } else { limit };
    let follower = if as_stream { Some(Follower::new(&app, after, limit, caller.clone())?) } else { None };
    let first = if begins_with_the_next {
        store::ChangePage { changes: Vec::new(), next: after.position }
    } else {
        app.store().changes(after.position, limit).await?
    };
    let Some(follower) = follower else {
        audit::changes(&caller, after, after.at(first.next));
        return Ok((Extension(caller.usage), Json(ChangePageView::new(after, first))).into_response());
    };
    let events = Sse::new(follower.events(first)).keep_alive(KeepAlive::new().interval(COMMENT_EVERY));
    Ok(([(header::CACHE_CONTROL, "no-store"), UNBUFFERED], events).into_response())
}
