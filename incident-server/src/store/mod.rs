//! Where incidents live: one small trait, one implementation a database.
//!
//! A method is one whole truth: it opens, uses and commits its own transaction. What may happen to an
//! incident is decided by `incident-core`; a store fetches, asks and writes down the answer.

mod changes;
mod columns;
mod contract;
mod error;
mod export;
mod export_page;
mod fold;
mod from_row;
mod inspect;
mod item;
mod list;
mod migrations;
mod open_error;
mod partitions;
mod pools;
mod postgres;
mod record;
mod sqlite;
mod target;

pub use changes::{ChangePage, Horizon, Position, Series, StoredChange};
pub use contract::Store;
pub use error::{ItemError, RowError, StoreError};
pub(crate) use export::Everything;
pub(crate) use inspect::{Inspection, Schema};
pub use item::{Erased, SyncItem, Verdict};
pub use list::{IncidentPage, ListQuery, StoredIncident};
pub use open_error::OpenError;
pub use partitions::Partitions;
pub use pools::Pool;
pub use postgres::PgStore;
pub use sqlite::SqliteStore;
pub(crate) use sqlite::{backup, compact, may_be_restored, refuse_name_of_a_part, restore};
pub(crate) use target::{DatabaseTarget, DatabaseUrlError, check_parameters, server_of, standby_of};
