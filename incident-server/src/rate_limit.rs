//! How often one identity may ask. By token subject, not by address: a whole site sits behind one.

use std::{num::NonZeroU32, str::FromStr, sync::Arc, time::Duration};

use governor::{DefaultKeyedRateLimiter, InsufficientCapacity, Quota, RateLimiter, clock::Clock as _};
use incident_core::Reporter;

/// A rate and a burst, written `20/s,200`; or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit(Option<Quota>);

/// The text is no rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a rate limit is written RATE/s,BURST or RATE/m,BURST, such as 20/s,200, or off")]
pub struct RateLimitError;

impl FromStr for RateLimit {
    type Err = RateLimitError;

    fn from_str(text: &str) -> Result<Self, RateLimitError> {
        if text == "off" {
            return Ok(Self(None));
        }
        let (rate, burst) = text.split_once(',').ok_or(RateLimitError)?;
        let (rate, unit) = rate.split_once('/').ok_or(RateLimitError)?;
        let number = |text: &str| text.trim().parse::<NonZeroU32>().map_err(|_| RateLimitError);
        let quota = match unit.trim() {
            "s" => Quota::per_second(number(rate)?),
            "m" => Quota::per_minute(number(rate)?),
            _ => return Err(RateLimitError),
        };
        Ok(Self(Some(quota.allow_burst(number(burst)?))))
    }
}

/// One request or payload too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QuotaError {
    /// It fits later.
    ForNow {
        /// After so many seconds, at least 1.
        retry_after_seconds: u64,
    },
    /// No burst is large enough for that many at once.
    ForEver {
        /// How many are.
        most: u32,
    },
}

impl RateLimit {
    /// Whether this many at once ever fit.
    pub(crate) fn has_room_for(self, count: usize) -> bool {
        self.0.is_none_or(|quota| quota.burst_size().get() as usize >= count)
    }
}

/// Counts requests, or payloads, per identity.
pub(crate) struct RateLimiting(Option<DefaultKeyedRateLimiter<Arc<Reporter>>>);

impl RateLimiting {
    /// Counts by this limit.
    pub(crate) fn new(limit: RateLimit) -> Self {
        Self(limit.0.map(RateLimiter::keyed))
    }

    /// Lets a request or a payload through, or says how long to wait.
    ///
    /// # Errors
    /// [`QuotaError`] says when the next one fits.
    pub(crate) fn check(&self, reporter: &Arc<Reporter>) -> Result<(), QuotaError> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        limiter
            .check_key(reporter)
            .map_err(|until| QuotaError::for_now(until.wait_time_from(limiter.clock().now())))
    }

    /// Lets so many through, or none.
    ///
    /// # Errors
    /// As [`check`](Self::check); or more than the burst, which never fit.
    pub(crate) fn check_all(&self, reporter: &Arc<Reporter>, count: usize) -> Result<(), QuotaError> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let Some(count) = u32::try_from(count).ok().and_then(NonZeroU32::new) else { return Ok(()) };
        match limiter.check_key_n(reporter, count) {
            Ok(fits) => {
                fits.map_err(|until| QuotaError::for_now(until.wait_time_from(limiter.clock().now())))
            }
            Err(InsufficientCapacity(most)) => Err(QuotaError::ForEver { most }),
        }
    }

    /// Forgets the identities that are as good as new, so that the table does not grow.
    pub(crate) fn forget_idle(&self) {
        if let Some(limiter) = &self.0 {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

impl QuotaError {
    /// Whole seconds, rather too many than too few.
    fn for_now(wait: Duration) -> Self {
        let whole = wait.as_secs();
        Self::ForNow { retry_after_seconds: (whole + u64::from(wait > Duration::from_secs(whole))).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_the_next_one_waits() {
        let limiting = RateLimiting::new("1/s,3".parse().unwrap());
        let alice = Arc::new(Reporter::parse("alice").unwrap());
        assert!((0..3).all(|_| limiting.check(&alice).is_ok()));
        assert_eq!(limiting.check(&alice), Err(QuotaError::ForNow { retry_after_seconds: 1 }));
        assert!(limiting.check(&Arc::new(Reporter::parse("bob").unwrap())).is_ok());
    }

    #[test]
    fn only_the_documented_spelling_is_taken() {
        assert!(["20/s,200", "1/m,1", "off"].iter().all(|text| text.parse::<RateLimit>().is_ok()));
        assert!(
            ["", "20", "20/s", "0/s,1", "1/s,0", "-1/s,1", "1/h,1"]
                .iter()
                .all(|text| text.parse::<RateLimit>().is_err())
        );
    }
}
