//! What callers see, as JSON: the core's values, with what is theirs to see.

pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod incident;
