//! What the suites of this crate share.
#![allow(dead_code)] // each suite uses its part

pub(crate) mod place;
pub(crate) mod report;
pub(crate) mod server;
