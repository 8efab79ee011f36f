//! Starts the real server for end-to-end tests and talks to it as phones, integrators and vandals do.
//!
//! The map of the project and recipes for changing it: `docs/developers.md`.
//!
//! A test starts its own [`Server`] on its own data directory, sends as a [`Client`] (well-formed HTTP) or
//! with [`raw`] bytes, and reads an [`Answer`]. Nothing is shared between tests; nothing sleeps and hopes:
//! what takes time is waited for with [`until`] and a deadline.
//!
//! The servers keep their incidents in SQLite files, or with `INCIDENT_TEST_STORE=postgres` on the PostgreSQL server
//! that `tests/postgres` starts. Only [`database`] knows which; a test of one of them says so, see
//! [`Setup::on_sqlite`] and [`Setup::on_postgres`].

/// The examples of the pages are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/integrators.md")]
pub struct Integrators;

mod client;
pub mod database;
mod events;
mod frozen;
pub mod incident_keys;
mod keys;
mod link;
pub mod payload;
mod process;
pub mod proof;
pub mod raw;
mod server;
mod started;

use std::time::{Duration, Instant};

pub use client::{Answer, Client};
pub use database::Database;
pub use events::{Event, Events};
pub use frozen::assert_frozen;
pub use keys::{Signer, claims, token};
pub use link::Link;
pub use process::{Program, Run};
pub use server::{Server, Setup};
pub use started::StartedServer;

/// How long something that must happen may take; far more than it ever needs.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; gives up after [`PATIENCE`].
///
/// # Panics
/// There was none in time.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
