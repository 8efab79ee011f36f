//! The one place that asks what time it is.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use incident_core::Timestamp;

/// Tells the time; a test brings its own.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// Takes any source of time.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The machine's clock; before 1970 it stands still.
    pub fn system() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place that looks at the clock")]
        Self::new(|| {
            let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let unix_ms = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
            Timestamp::from_unix_ms(unix_ms).unwrap_or(Timestamp::MAX)
        })
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}
