//! How far partitions by time have been made.

/// How far partitions by time have been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Partitions {
    /// The moment from which on there is none yet, in milliseconds; 0 where the tables are not partitioned.
    pub end_ms: i64,
    /// How often this server could not make one.
    pub failures: u64,
}
