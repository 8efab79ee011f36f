//! Looking at the queue, and what the user may do about an entry.

mod discard;
mod list;
mod retry;

pub use list::Summary;
