//! Looking at the queue, and what the user may do about an entry.

mod discard;
mod list;
mod retry;
mod watch;

pub use list::Summary;
pub use watch::Seen;
