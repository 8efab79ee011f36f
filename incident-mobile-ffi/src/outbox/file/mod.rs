//! The file: one SQLite database, durable at every commit.

mod copies;
pub(crate) mod database;
pub(crate) mod erase;
mod filesystem;
mod lock;
mod log;
pub(crate) mod own;
mod pages;
mod record;
pub(crate) mod repair;
pub(crate) mod reserved;
pub(crate) mod rows;
mod salvage;
mod schema;

pub use repair::Recovery;
