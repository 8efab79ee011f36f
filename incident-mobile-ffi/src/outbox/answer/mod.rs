//! An answer comes back: what it means, and what it does to the entries.

mod complete;
pub(crate) mod consequences;
mod effects;
mod fields;
pub(crate) mod read;
