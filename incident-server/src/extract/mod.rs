//! What a handler takes out of a request, in the order in which faults are answered: caller, then body.

mod body;
mod caller;
mod changes;
mod idempotency_key;
mod incident_id;
mod query;

pub(crate) use body::JsonBody;
pub(crate) use caller::ReadsAll;
pub(crate) use changes::ChangesParameters;
pub(crate) use idempotency_key::KeyHeader;
pub(crate) use incident_id::{PathId, not_found};
pub(crate) use query::{ListCursor, ListParameters};
