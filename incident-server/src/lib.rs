//! The endpoint of incident-sync: creates and cancels incidents exactly once.
//!
//! The map of the project and recipes for changing it: `docs/developers.md`.
//!
//! What may happen to an incident is decided by `incident-core`; this crate brings payloads to it and its
//! decisions to disk. It never logs a token, a payload's text or who reported.
//!
//! # The way of one request
//!
//! 1. [`serve`] accepts the connection, [`routes`] finds the handler.
//! 2. The handler extracts the caller (token, rate) and the body (media type, size, time), decodes it with
//!    the core and derives key and id.
//! 3. [`commit`] puts it into the next transaction, together with all that wait.
//! 4. [`store`] loads what is stored, lets the core decide, writes, commits.
//! 5. The handler wraps the verdict; what went wrong becomes problem details in [`problem`].
//!
//! # Mounting it in an axum backend
//!
//! Build an [`App`] from its [`Parts`] and merge [`router`] into yours; see its example. To run the program's
//! own setup, see [`run`].
//!
//! Where to start reading: `routes.rs`, then `handlers/sync.rs`, then `commit/mod.rs`, then `store/contract.rs`.

mod app;
mod audit;
pub mod auth;
mod board;
mod budget;
mod cautions;
mod check;
pub mod cli;
mod clock;
pub mod commit;
mod connections;
mod console;
mod copies;
mod cursor;
mod erasure;
mod export;
mod extract;
#[cfg(feature = "__fuzzing")]
pub mod fuzzing;
mod handlers;
mod interrupted;
mod limits;
pub mod log;
pub mod metrics;
mod openapi;
mod opening;
pub mod problem;
pub mod rate_limit;
mod refusals;
mod request;
mod retention;
pub mod routes;
pub mod run;
mod schema;
pub mod secrets;
pub mod serve;
mod signals;
pub mod store;
mod supervise;
pub mod traces;
mod uncached;
mod usage;
mod variables;
mod views;
mod welcome;

pub use app::{App, Parts};
pub use board::board;
pub use clock::Clock;
pub use retention::Retention;
pub use routes::router;
