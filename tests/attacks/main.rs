//! Rude peers, wrong secrets, edited rows, frozen databases: each costs nobody else anything. One file an attack.
//!
//! These are the tests that take longer than those beside them in `e2e`; `tests/run attacks` runs them. They keep
//! their incidents in SQLite files; what needs PostgreSQL says so.

/// All stand in a module of this name, so that the suite `rust` can leave them out: `--skip attacks::`.
#[path = "."]
mod attacks {
    mod backup;
    mod clusters;
    mod dead_sessions;
    mod edited_rows;
    mod erasure;
    mod few_sessions;
    mod first_starts;
    mod frozen_database;
    mod log_growth;
    mod logs;
    mod memory;
    mod peers;
    mod pooler;
    mod signals;
    mod standby;
    mod tokens;

    /// PostgreSQL servers, and links to them, that a test may cut and kill; the server's own tests have them, too.
    #[expect(dead_code, reason = "each suite uses its part")]
    #[path = "../../incident-server/tests/support/cluster.rs"]
    mod cluster;
    #[expect(dead_code, reason = "each suite uses its part")]
    #[path = "../../incident-server/tests/support/proxy.rs"]
    mod proxy;
}
