//! What PostgreSQL, its driver and the network between them do when things go wrong, each on servers of the
//! test's own.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;
mod traps;
