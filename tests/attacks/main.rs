//! Rude peers, wrong secrets, edited rows, frozen databases: each costs nobody else anything. One file an attack.
//!
//! These are the tests that take longer than those beside them in `e2e`; `tests/run attacks` runs them. They keep
//! their incidents in SQLite files; what needs PostgreSQL says so.

/// All stand in a module of this name, so that the suite `rust` can leave them out: `--skip attacks::`.
#[path = "."]
mod attacks {
    mod backup;
    mod edited_rows;
    mod logs;
    mod memory;
    mod peers;
    mod signals;
}
