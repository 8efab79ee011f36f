//! Reports, as a server derives them from tokens and payloads.

use std::sync::Arc;

use incident_core::{
    CancellationReason, Coordinates, Facts, IdSecret, IdempotencyKey, IncidentId, LocationId, Outcome,
    Reporter, SyncPayload, Timestamp,
};
use incident_server::store::{Store, SyncItem, Verdict};

/// 2026-11-22T10:00:00.000Z
pub(crate) const MORNING_MS: i64 = 1_795_341_600_000;

#[track_caller]
pub(crate) fn moment(ms_since_morning: i64) -> Timestamp {
    Timestamp::from_unix_ms(MORNING_MS + ms_since_morning).expect("a moment of that day")
}

/// A report of `who`, made so many milliseconds after the morning began.
#[track_caller]
pub(crate) fn report(who: &str, ms_since_morning: i64) -> SyncItem {
    let facts = Facts {
        location_id: LocationId::parse("ward-7").expect("a location"),
        room_number: None,
        gps_coordinates: Coordinates::from_degrees(12.4924, 41.8902).expect("Rome"),
        is_anonymous: false,
        created_at: moment(ms_since_morning),
    };
    let reporter = Reporter::parse(who).expect("a reporter");
    let key = IdempotencyKey::derive(&reporter, facts.created_at);
    let id = IncidentId::derive(&IdSecret::new(&[7; 32]).expect("a secret"), key.into());
    SyncItem { id, reporter: Arc::new(reporter), payload: SyncPayload { facts, cancellation_reason: None } }
}

/// The same report with a reason to call it off.
#[track_caller]
pub(crate) fn cancelled(report: &SyncItem, reason: &str) -> SyncItem {
    let mut report = report.clone();
    report.payload.cancellation_reason = Some(CancellationReason::parse(reason).expect("a reason"));
    report
}

/// The same report from another place.
#[track_caller]
pub(crate) fn elsewhere(report: &SyncItem) -> SyncItem {
    let mut report = report.clone();
    report.payload.facts.location_id = LocationId::parse("gate").expect("a location");
    report
}

/// Syncs one report and says what it did; `None` for a conflict.
pub(crate) async fn outcome(store: &dyn Store, report: &SyncItem) -> Option<Outcome> {
    outcomes(&sync(store, std::slice::from_ref(report)).await)[0]
}

pub(crate) async fn sync(store: &dyn Store, batch: &[SyncItem]) -> Vec<Verdict> {
    store.sync(batch, moment(60_000)).await.expect("the database answers")
}

pub(crate) fn outcomes(verdicts: &[Verdict]) -> Vec<Option<Outcome>> {
    verdicts.iter().map(|verdict| verdict.as_ref().ok().map(|(_, outcome)| *outcome)).collect()
}
