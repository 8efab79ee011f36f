//! Lists of incidents: what is asked for, and a page of it.

use incident_core::{IncidentId, LocationId, Reporter, Status, Stored, Timestamp};

/// An incident as a reading route finds it.
#[derive(Debug, Clone)]
pub struct StoredIncident {
    /// Its id.
    pub id: IncidentId,
    /// Who reported it; `None` for an anonymous or an erased one.
    pub reporter: Option<String>,
    /// The incident, or what is left of it. Lists have kept ones only.
    pub incident: Stored,
}

/// Which incidents a list shows, newest first.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// Only those of this reporter that are not anonymous.
    pub reporter: Option<std::sync::Arc<Reporter>>,
    /// Only those in this state.
    pub status: Option<Status>,
    /// Only those at this location.
    pub location_id: Option<LocationId>,
    /// Only those created at or after this moment.
    pub created_after: Option<Timestamp>,
    /// Only those created before this moment.
    pub created_before: Option<Timestamp>,
    /// Only those that come after this one in the list.
    pub after: Option<IncidentId>,
    /// At most this many.
    pub limit: usize,
}

impl ListQuery {
    /// The ids between which everything asked for lies: from the first, included, to the second, excluded.
    pub(super) fn id_range(&self) -> (IncidentId, IncidentId) {
        let first = IncidentId::first_at(self.created_after.unwrap_or(Timestamp::MIN));
        let end = self.created_before.map_or(IncidentId::from_bytes([0xff; 16]), IncidentId::first_at);
        (first, self.after.map_or(end, |after| after.min(end)))
    }

    /// How many rows a page needs: one more than it shows, so that it is known whether there is another page.
    pub(super) fn rows(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX).saturating_add(1)
    }
}

/// A page of a list. A row that cannot be read is logged and left out.
#[derive(Debug, Clone, Default)]
pub struct IncidentPage {
    /// The incidents, newest first.
    pub incidents: Vec<StoredIncident>,
    /// The one behind which the next page begins; `None` on the last page.
    pub next: Option<IncidentId>,
}

#[cfg(test)]
impl ListQuery {
    /// Erases most in the midst of that time, as a retention leaves them that some were received after.
    pub(super) const ERASE_MOST: &str = "
        UPDATE incidents
        SET reporter = NULL,
            location_id = '',
            cancelled_at_ms = created_at_ms,
            cancellation_reason = '',
            erased_at_ms = created_at_ms + 1
        WHERE created_at_ms BETWEEN 1732320000100 AND 1732320019990";

    /// Every combination of filters, of both roles, from the first page and a later one.
    pub(super) fn all_combinations() -> Vec<Self> {
        let mut all = vec![Self { limit: 51, ..Self::default() }];
        let mut with = |change: &dyn Fn(&mut Self)| {
            let mut changed = all.clone();
            changed.iter_mut().for_each(change);
            all.extend(changed);
        };
        let moment = |ms| Timestamp::from_unix_ms(ms).ok();
        with(&|query| query.reporter = Reporter::parse("reporter-7").ok().map(Into::into));
        with(&|query| query.location_id = LocationId::parse("location-7").ok());
        with(&|query| query.created_after = moment(1_732_320_001_000));
        with(&|query| query.created_before = moment(1_732_320_019_000));
        with(&|query| query.after = moment(1_732_320_018_000).map(IncidentId::first_at));
        let one = |status| all.iter().map(move |query| Self { status, ..query.clone() });
        [None, Some(Status::Open), Some(Status::Cancelled)].into_iter().flat_map(one).collect()
    }
}
