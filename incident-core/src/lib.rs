//! The rules of offline-first incident sync, once, for server and phone.
//!
//! The map of the project and recipes for changing it: `docs/developers.md`.
//!
//! A report is made without network and sent later, perhaps twice, perhaps together with its own
//! cancellation. This crate says what such a report looks like, when it is valid, which incident it
//! belongs to and what it does to that incident. It does nothing else: **no I/O, no clock, no
//! randomness**. Values come in, values go out; the time is always an argument.
//!
//! # The way of one payload
//!
//! 1. Text from the network becomes a [`SyncPayload`] in [`decode`], or every [`Violation`] at once.
//!    On the phone a [`Draft`] takes the same checks in [`SyncPayload::from_draft`].
//! 2. [`IncidentKey::resolve`] names the incident: by the key that [`IdempotencyKey::derive`] makes from its
//!    reporter and its moment, or for an anonymous report by a sealed one. The server stores it under an
//!    [`IncidentId`], which needs a secret to be recomputed.
//! 3. [`Incident::apply`] merges the payload into what is stored: a new state, an [`Outcome`] and the
//!    [`Event`]s for the history, or a [`ConflictError`]. [`Stored::erase`] is the last step, with no way back.
//! 4. The answer speaks the words of [`Problem`] and [`Disposition`].
//!
//! ```
//! use incident_core::{Incident, IdempotencyKey, Outcome, Reporter, Timestamp, decode};
//!
//! let text = br#"{"locationId":"ward-7","gpsCoordinates":{"type":"Point","coordinates":[12.4924,41.8902]},
//!     "isAnonymous":false,"createdAt":"2026-11-22T11:15:30.12+01:00","cancellationReason":"false alarm"}"#;
//! let payload = decode(text)?.payload;
//! let alice = Reporter::parse("alice")?;
//! let key = IdempotencyKey::derive(&alice, payload.facts.created_at);
//! assert_eq!(key.to_string(), "01a202c0-f648-81b8-95f2-469ecf9e3f4e");
//!
//! let now: Timestamp = "2026-11-22T18:00:00Z".parse()?;
//! let applied = Incident::apply(None, &payload, now)?;
//! assert_eq!(applied.outcome, Outcome::CreatedAndCancelled);
//! assert_eq!(applied.events.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Where to start reading: [`Incident::apply`] is the heart; `key.rs` is the name; `decode/` is the
//! door for what comes in, `stored.rs` the one for what a database gives back.

#![forbid(unsafe_code)]

mod answer;
mod batch;
mod code;
mod coordinates;
mod decode;
mod erasure;
mod fields;
mod id;
mod incident;
mod incident_key;
mod key;
mod payload;
mod stored;
mod text;
mod timestamp;
mod tombstone;
mod violation;
mod words;

pub use answer::{Disposition, Outcome, Problem};
pub use batch::{BatchError, BatchItem, MAX_BATCH_BYTES, MAX_BATCH_ITEMS, decode_batch, encode_batch};
pub use code::Code;
pub use coordinates::Coordinates;
pub use decode::{DecodeError, Decoded, Flaw, MAX_PAYLOAD_BYTES, Malformed, Warning, decode};
pub use erasure::Erasure;
pub use fields::{CancellationReason, Field, LocationId, Pointer, RoomNumber};
pub use id::{IdError, IdSecret, IdSecretError, IncidentId};
pub use incident::{
    Applied, Cancellation, Change, ConflictError, Event, EventKind, Incident, MAX_RESTATED_REASONS, State,
    Status, Stored,
};
pub use incident_key::{IncidentKey, KeyMismatchError, OutboxSecret};
pub use key::{IdempotencyKey, KeyError, Reporter, ReporterError};
pub use payload::{Draft, Facts, SyncPayload};
pub use stored::{Column, ColumnError, EventColumns, INCIDENT_COLUMNS, IncidentRow};
pub use text::TextError;
pub use timestamp::{Timestamp, TimestampError};
pub use tombstone::{ErasedStatus, Tombstone};
pub use violation::Violation;
pub use words::WordError;
