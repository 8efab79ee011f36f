//! What the suites of this crate share.

pub(crate) mod cluster;
pub(crate) mod database;
mod new_database;
pub(crate) mod proxy;
pub(crate) mod report;
pub(crate) mod server;
