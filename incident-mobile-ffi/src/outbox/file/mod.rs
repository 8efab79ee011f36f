//! The file: one SQLite database, durable at every commit.

pub(crate) mod database;
pub(crate) mod erase;
mod lock;
mod log;
mod place;
pub(crate) mod repair;
pub(crate) mod rows;
mod salvage;
mod schema;

pub use repair::Recovery;
