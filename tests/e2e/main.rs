//! What the README promises, seen from outside: the real program, real requests. One file a promise.

mod batch;
mod batch_limits;
mod cancellation;
mod connections;
mod crash;
mod creation;
mod documents;
mod idempotency;
mod key_sets;
mod listing;
mod merging;
mod operations;
mod overload;
mod precedence;
mod privacy;
mod problems;
mod rate_limit;
mod reading;
mod shutdown;
mod start;
mod timeouts;
mod tokens;
mod validation;
