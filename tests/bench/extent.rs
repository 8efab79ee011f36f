//! How much is measured: the long form, whose figures are written, and a trial that only shows that all parts run.

/// Who and where, in every load but that of one reporter, and in what is stored.
pub(crate) const REPORTERS: usize = 10_000;
/// Places that are reported from.
pub(crate) const PLACES: usize = 1_000;

/// The size of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    /// How often each case is measured.
    pub(crate) rounds: usize,
    /// How long a load lasts.
    pub(crate) seconds: u32,
    /// Incidents in SQLite before the first load.
    pub(crate) sqlite_stored: i64,
    /// The same in PostgreSQL.
    pub(crate) postgres_stored: i64,
    /// The same before the first list, in either.
    pub(crate) listed: i64,
    /// The same in the table that becomes a partition.
    pub(crate) moved: i64,
    /// Rows that are inserted at once, to see what the database can do at most.
    pub(crate) bulk: i64,
    /// Phones that come back at once.
    pub(crate) phones: u32,
    /// Whether nothing is written, so that the machine may be busy.
    pub(crate) is_trial: bool,
}

/// Some twenty minutes a database, with its filling.
pub(crate) const LONG: Extent = Extent {
    rounds: 5,
    seconds: 5,
    sqlite_stored: 5_000_000,
    postgres_stored: 10_000_000,
    listed: 10_000_000,
    moved: 10_000_000,
    bulk: 200_000,
    phones: 100_000,
    is_trial: false,
};

/// A minute.
pub(crate) const TRIAL: Extent = Extent {
    rounds: 1,
    seconds: 1,
    sqlite_stored: 20_000,
    postgres_stored: 20_000,
    listed: 20_000,
    moved: 20_000,
    bulk: 20_000,
    phones: 1_000,
    is_trial: true,
};
