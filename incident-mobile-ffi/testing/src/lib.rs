//! A server for the tests of an app: in memory, under a clock that the test turns, with faults that it orders.
//!
//! It is a library of its own, so that none of it is in what an app ships: bytes of an upload come in, bytes of an
//! answer go out, and the packages' `FakeServer` stands between it and their outbox. What a payload is, whose incident
//! it is and what it does to it are the core's rules, as in the real server; here is only what lies between them and an
//! answer. `tests/e2e/fake_server.rs` holds its answers against the real ones.
//!
//! Where to start reading: `server.rs`; `api.rs` is the boundary to the other languages.

mod answer;
mod api;
mod exchange;
mod fault;
mod incident;
mod server;

pub use api::{FakeServer, FakeServerError};
pub use exchange::{Answer, FailureKind, Header, Request};
pub use fault::FakeFault;
pub use incident::{FakeIncident, IncidentStatus, Moment};
pub use server::{BATCH_PATH, MAX_FAULTS, SYNC_PATH, Server, ServerIncident};

uniffi::setup_scaffolding!("incident_mobile_testing");
