//! Who read what of others: a line in the log for each, on a target of its own.
//!
//! Those who run the service for sensitive reports must be able to show it. A reporter's own reads have no line: beside
//! an anonymous incident it would name who reported it.

use incident_core::{Facts, IdempotencyKey, IncidentId, IncidentKey, Status, Timestamp};
use rustix::process::getuid;

use crate::{
    App,
    auth::Caller,
    cursor::ChangesCursor,
    store::{IncidentPage, ListQuery, StoredIncident},
};

/// Below this target stands who did what to the reports of others.
pub(crate) const TARGET: &str = "incident_server::audit";
/// The target of reads: `INCIDENT_LOG=info,incident_server::audit::reads=off` switches them off.
pub(crate) const READS: &str = "incident_server::audit::reads";

/// Notes that an incident, or its history, was read.
pub(crate) fn incident(app: &App, caller: &Caller, id: IncidentId, facts: &Facts, what: &'static str) {
    // An anonymous incident without a sealed key has the key that is derived from who reported it.
    let own = IdempotencyKey::derive(&caller.reporter, facts.created_at);
    if IncidentId::derive(app.id_secret(), IncidentKey::Derived(own)) != id {
        tracing::info!(target: READS, reader = caller.reporter.as_str(), incident = %id, what, "read");
    }
}

/// Notes that a page of a list was read: what was asked for and which part of it was shown. The location that was asked
/// for is a text of reports, so it is not named.
pub(crate) fn list(caller: &Caller, query: &ListQuery, page: &IncidentPage) {
    if !caller.may_read_all {
        return;
    }
    let moment = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
    let shown = |stored: Option<&StoredIncident>| stored.map(|stored| stored.id.to_string());
    tracing::info!(
        target: READS,
        reader = caller.reporter.as_str(),
        what = "list",
        status = query.status.map(Status::as_str),
        at_one_location = query.location_id.is_some(),
        created_after = moment(query.created_after),
        created_before = moment(query.created_before),
        incidents = page.incidents.len(),
        newest = shown(page.incidents.first()),
        oldest = shown(page.incidents.last()),
        "read"
    );
}

/// Notes that a page of the changes was read: those behind the first cursor, up to the second.
pub(crate) fn changes(caller: &Caller, after: ChangesCursor, to: ChangesCursor) {
    let (after, to) = (after.to_string(), to.to_string());
    tracing::info!(target: READS, reader = caller.reporter.as_str(), what = "changes", after, to, "read");
}

/// Notes that somebody follows the changes, from the one behind this cursor.
pub(crate) fn stream_begins(caller: &Caller, after: ChangesCursor) {
    let after = after.to_string();
    tracing::info!(target: READS, reader = caller.reporter.as_str(), what = "stream", after, "begun");
}

/// Notes how far they came.
pub(crate) fn stream_ends(caller: &Caller, to: ChangesCursor) {
    let to = to.to_string();
    tracing::info!(target: READS, reader = caller.reporter.as_str(), what = "stream", to, "ended");
}

/// Notes that everything is about to be read, by whom of this machine; before anything is shown, for whoever reads may
/// cut it off.
pub(crate) fn export_begins() {
    tracing::info!(target: READS, user = getuid().as_raw(), what = "export", "begun");
}

/// Notes how much was shown.
pub(crate) fn export_ends(incidents: usize) {
    tracing::info!(target: READS, user = getuid().as_raw(), what = "export", incidents, "ended");
}
