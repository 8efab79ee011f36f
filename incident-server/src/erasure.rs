//! Erasure in small steps, each of them an audit line in the log: who, how many, which.

use std::sync::Arc;

use incident_core::{IncidentId, Outcome, Reporter, Timestamp};
use tokio::time::Instant;

use crate::{
    App,
    limits::{ERASED_AT_ONCE, ERASURE_DEADLINE, ERASURE_STEP},
    store::{Erased, ListQuery, Store, StoreError},
    views::incident::ErasureOfReporterView,
};

/// Who erases.
#[derive(Debug, Clone)]
pub(crate) enum By {
    /// The subject of an access token.
    Caller(Arc<Reporter>),
    /// The server itself, what is too old.
    Retention,
}

impl By {
    fn as_str(&self) -> &str {
        match self {
            Self::Caller(reporter) => reporter.as_str(),
            Self::Retention => "INCIDENT_RETENTION",
        }
    }
}

/// Erases at most [`ERASURE_STEP`] incidents in one transaction and writes it down.
pub(crate) async fn erase(
    store: &dyn Store,
    ids: &[IncidentId],
    now: Timestamp,
    by: &By,
) -> Result<Vec<Erased>, StoreError> {
    let erased = store.erase(ids, now).await?;
    let fresh = erased.iter().filter(|one| one.outcome == Outcome::Erased);
    let ids: Vec<_> = fresh.map(|one| one.id.to_string()).collect();
    if !ids.is_empty() {
        // Of all names this one alone is logged: whoever erases has to answer for it.
        tracing::info!(
            target: "incident_server::audit",
            by = by.as_str(),
            count = ids.len(),
            ids = ids.join(" "),
            "incidents were erased"
        );
    }
    Ok(erased)
}

/// Erases what is stored under a name, as much as fits into one request.
pub(crate) async fn erase_all_of(
    app: &App,
    reporter: Reporter,
    by: &By,
) -> Result<ErasureOfReporterView, StoreError> {
    let (started, mut erased) = (Instant::now(), 0);
    let mut query =
        ListQuery { reporter: Some(Arc::new(reporter)), limit: ERASURE_STEP, ..ListQuery::default() };
    loop {
        let page = app.store().incidents(&query).await?;
        let ids: Vec<_> = page.incidents.iter().map(|stored| stored.id).collect();
        let has_room = erased + ids.len() <= ERASED_AT_ONCE && started.elapsed() < ERASURE_DEADLINE;
        if !has_room && !ids.is_empty() {
            return Ok(ErasureOfReporterView { erased, more: true });
        }
        let done = erase(app.store(), &ids, app.now(), by).await?;
        erased += done.iter().filter(|one| one.outcome == Outcome::Erased).count();
        // What cannot be read is not in the page, and stays.
        query.after = page.next;
        if page.next.is_none() {
            return Ok(ErasureOfReporterView { erased, more: false });
        }
    }
}
