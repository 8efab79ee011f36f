//! What an app's form gives.

use incident_core::{Draft, SyncPayload, Violation};

/// A report as an app's form gives it; nothing is checked yet.
#[derive(Clone, PartialEq)]
pub struct NewReport {
    /// 1 to 128 characters once trimmed.
    pub location_id: String,
    /// 1 to 64 characters once trimmed; blank means absent.
    pub room_number: Option<String>,
    /// Degrees, −180 to 180.
    pub longitude: f64,
    /// Degrees, −90 to 90.
    pub latitude: f64,
    /// Whether the reporter wants to stay unnamed.
    pub is_anonymous: bool,
    /// In ms since 1970; now if absent.
    pub created_at_ms: Option<i64>,
    /// Why it is called off at once, if it is.
    pub cancellation_reason: Option<String>,
}

impl NewReport {
    /// The payload that this report is.
    ///
    /// # Errors
    /// Every violation at once, in the order of the fields.
    pub fn check(&self, now_ms: i64) -> Result<SyncPayload, Vec<Violation>> {
        SyncPayload::from_draft(&Draft {
            location_id: self.location_id.clone(),
            room_number: self.room_number.clone(),
            longitude: self.longitude,
            latitude: self.latitude,
            is_anonymous: self.is_anonymous,
            created_at_ms: self.created_at_ms.unwrap_or(now_ms),
            cancellation_reason: self.cancellation_reason.clone(),
        })
    }
}
