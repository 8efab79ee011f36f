//! A report is made, or called off.

mod accept;
mod cancel;
pub(crate) mod free_ms;
pub(crate) mod key;
mod room;
