//! `GET /api/incidents/changes`

use std::time::Duration;

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use crate::{
    App, audit,
    auth::{Caller, RequestPermit},
    changes_view::{ChangePageView, ChangeView},
    cursor::{After, ChangesCursor},
    extract::{ChangesParameters, ReadsAll},
    limits::STREAM_PAGE,
    metrics::OpenStream,
    openapi,
    problem::ProblemDetails,
    store::{self, Position, StoredChange},
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

/// One reader of the stream. It asks for the next page when the one before is on its way: a slow reader is
/// asked for nothing and holds nothing but a page.
struct Follower {
    app: App,
    after: ChangesCursor,
    limit: i64,
    newest: watch::Receiver<Position>,
    keys: watch::Receiver<()>,
    draining: watch::Receiver<bool>,
    caller: Caller,
    _permit: OwnedSemaphorePermit,
    _counted: OpenStream,
    ends: Instant,
    /// Of the request, for what is logged at the end.
    span: tracing::Span,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.span.in_scope(|| audit::stream_ends(&self.caller, self.after));
    }
}

impl Follower {
    /// Takes one of the caller's permits for streams in exchange for the request's.
    fn new(app: &App, after: ChangesCursor, limit: i64, mut caller: Caller) -> Result<Self, ProblemDetails> {
        caller.permit = RequestPermit::default();
        let left_ms = caller.expires_at_ms.saturating_sub(app.now().unix_ms());
        // A year at most: a moment too far away cannot be told apart.
        let left =
            Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)).min(Duration::from_secs(31_536_000));
        let permit = caller.usage.stream()?;
        audit::stream_begins(&caller, after);
        Ok(Self {
            _permit: permit,
            _counted: app.metrics().stream(),
            app: app.clone(),
            after,
            limit,
            newest: app.store().watch_changes(),
            keys: app.verifier().watch_keys(),
            draining: app.draining(),
            caller,
            ends: Instant::now() + left,
            span: tracing::Span::current(),
        })
    }

    fn events(self, first: store::ChangePage) -> impl Stream<Item = Result<Event, axum::Error>> + Send {
        stream::unfold((self, Some(first)), |(mut follower, page)| async move {
            let page = match page {
                Some(page) => page,
                None => follower.next_page().await?,
            };
            let after = follower.after;
            follower.after = after.at(page.next);
            let changes = page.changes.into_iter();
            let events: Vec<_> = changes.map(|change| event(after.at(change.position), change)).collect();
            Some((stream::iter(events), (follower, None)))
        })
        .flatten()
    }

    /// Waits for the next changes; `None` ends the stream.
    async fn next_page(&mut self) -> Option<store::ChangePage> {
        while !self.is_over() {
            self.newest.mark_unchanged();
            let page = self.app.store().changes(self.after.position, self.limit).await;
            let page = page.inspect_err(|error| ProblemDetails::from(error).log_cause()).ok()?;
            if page.next != self.after.position {
                return Some(page);
            }
            tokio::select! {
                changed = self.newest.changed() => changed.ok()?,
                changed = self.keys.changed() => changed.ok()?,
                _ = self.draining.wait_for(|draining| *draining) => return None,
                () = tokio::time::sleep_until(self.ends) => return None,
            }
        }
        None
    }

    /// Asked before every page: a reader that is far behind never waits for a change.
    fn is_over(&self) -> bool {
        *self.draining.borrow()
            || Instant::now() >= self.ends
            || !self.app.verifier().still_trusts(&self.caller)
    }
}

fn event(cursor: ChangesCursor, change: StoredChange) -> Result<Event, axum::Error> {
    let view = ChangeView::new(cursor, change);
    Event::default().id(view.cursor()).event(view.kind()).json_data(view)
}
