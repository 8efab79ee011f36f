//! One endpoint a file; three moves each: extract, call, wrap.

pub(crate) mod batch;
pub(crate) mod changes;
pub(crate) mod erase;
pub(crate) mod history;
pub(crate) mod incident;
pub(crate) mod list;
pub(crate) mod operations;
pub(crate) mod problem_page;
pub(crate) mod sync;
