//! An answer comes back: what it means, and what it does to the entries.

mod complete;
mod consequences;
mod effects;
mod fields;
mod read;
