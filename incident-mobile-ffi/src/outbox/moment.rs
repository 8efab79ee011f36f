//! Moments on both sides of the boundary.

use serde::{Deserialize, Serialize};

/// A moment, in ms since 1970; on the other side of the boundary the language's own type for moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

uniffi::custom_newtype!(Moment, i64);
