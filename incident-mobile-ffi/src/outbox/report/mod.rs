//! A report is made, or called off.

mod accept;
mod cancel;
pub(crate) mod free_ms;
mod new_report;
mod room;

pub use new_report::NewReport;
