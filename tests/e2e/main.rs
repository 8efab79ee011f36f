//! What the README promises, seen from outside: the real program, real requests. One file a promise.
//!
//! Everything runs on SQLite, and with `INCIDENT_TEST_STORE=postgres` on PostgreSQL; but what only one of them can
//! show is in a module that is named after it, and runs on that one in any run.

mod anonymous_times;
mod audit;
mod bad_hands;
mod batch;
mod batch_keys;
mod batch_limits;
mod cancellation;
mod check;
mod connections;
mod crash;
mod creation;
mod documents;
mod erasure;
mod export;
mod fake_server;
mod following;
mod frozen;
mod idempotency;
mod issuer;
mod key_sets;
mod key_sets_away;
mod links;
mod listing;
mod merging;
mod metrics;
mod older_versions;
mod on_postgres;
mod on_sqlite;
mod operations;
mod operations_listen;
mod overload;
mod postgres_log;
mod postgres_users;
mod precedence;
mod privacy;
mod problem_pages;
mod problems;
mod rate_limit;
mod reading;
mod retention;
mod sealed_keys;
mod secret_rotation;
mod secrets;
mod shutdown;
mod start;
mod timeouts;
mod tokens;
mod traces;
mod uncached;
mod validation;
