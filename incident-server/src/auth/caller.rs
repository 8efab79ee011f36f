//! Who asks, and what they may see.

use std::{sync::Arc, time::Duration};

use incident_core::Reporter;
use tokio::sync::OwnedSemaphorePermit;

use super::keys::SignedWith;
use crate::usage::Usage;

/// The scope that allows reading the incidents of others.
pub const READ_SCOPE: &str = "incidents:read";

/// The scope that allows erasing incidents.
pub(crate) const ERASE_SCOPE: &str = "incidents:erase";

/// One of the requests that an identity may have under way; a copy of it is none.
#[derive(Debug, Default)]
pub(crate) struct RequestPermit {
    _permit: Option<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for RequestPermit {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: Some(permit) }
    }
}

impl Clone for RequestPermit {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// The token's `sub`.
    pub reporter: Arc<Reporter>,
    /// Whether the token has the scope `incidents:read`.
    pub may_read_all: bool,
    /// Whether the token has the scope `incidents:erase`.
    pub may_erase: bool,
    /// Until when the token is taken, in milliseconds since 1970; the leeway is in it.
    pub expires_at_ms: i64,
    /// The key under which the token was verified.
    pub(crate) signed_with: SignedWith,
    /// What this identity has under way.
    pub(crate) usage: Arc<Usage>,
    pub(crate) permit: RequestPermit,
    /// How long this request has waited to know whose it is.
    pub(crate) waited: Duration,
}
