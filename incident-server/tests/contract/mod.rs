//! One file a subject; a test takes a place and knows nothing of the database behind it.

pub(crate) mod changes;
pub(crate) mod edited;
pub(crate) mod erasure;
pub(crate) mod racing;
pub(crate) mod reading;
pub(crate) mod rules;
