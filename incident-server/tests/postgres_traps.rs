//! What PostgreSQL, its driver and the network between them do when things go wrong, each on servers of the
//! test's own.

mod support;
mod traps;
