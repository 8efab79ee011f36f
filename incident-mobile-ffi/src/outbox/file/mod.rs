//! The file: one SQLite database, durable at every commit.

mod copies;
pub(crate) mod database;
pub(crate) mod erase;
pub(crate) mod filesystem;
pub(crate) mod forked;
mod format;
mod lock;
mod log;
mod merge;
pub(crate) mod own;
mod owner;
pub(crate) mod pages;
mod record;
pub(crate) mod repair;
pub(crate) mod reserved;
pub(crate) mod rows;
pub(crate) mod salvage;
mod schema;

pub use repair::Recovery;
