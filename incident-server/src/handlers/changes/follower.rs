//! One reader of the stream of changes.

use std::time::Duration;

use axum::response::sse::Event;
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

use crate::{
    App, audit,
    auth::{Caller, RequestPermit},
    cursor::ChangesCursor,
    metrics::OpenStream,
    problem::ProblemDetails,
    store::{self, Position, StoredChange},
    views::changes::ChangeView,
};

/// It asks for the next page when the one before is on its way: a slow reader is asked for nothing and holds nothing but
/// a page.
pub(super) struct Follower {
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
    pub(super) fn new(
        app: &App,
        after: ChangesCursor,
        limit: i64,
        mut caller: Caller,
    ) -> Result<Self, ProblemDetails> {
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

    /// What it is sent, beginning with this page.
    pub(super) fn events(
        self,
        first: store::ChangePage,
    ) -> impl Stream<Item = Result<Event, axum::Error>> + Send {
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
