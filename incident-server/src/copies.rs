//! The subcommands `backup`, `restore` and `compact`.

use std::path::{Path, PathBuf};

use crate::{
    Clock,
    cli::Config,
    console::{Failure, say},
    opening, secrets,
    store::{self, DatabaseTarget, SqliteStore},
};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Writes a whole, checked copy of the database to a new file.
pub(crate) async fn backup(config: &Config, to: &Path) -> Result<(), Failure> {
    let database = database(config)?;
    let bytes = store::backup(&database, to).await?;
    let (database, to) = (database.display(), to.display());
    let (size, unit) = if bytes < MIB { (bytes.div_ceil(KIB), "KiB") } else { (bytes.div_ceil(MIB), "MiB") };
    say(format_args!("{to}: a whole copy of {database}, {size} {unit}, checked"));
    Ok(())
}

/// Puts a backup in the place of the database.
pub(crate) async fn restore(config: &Config, from: &Path) -> Result<(), Failure> {
    let database = database(config)?;
    store::may_be_restored(&database, from).await?;
    if config.database_url.is_none() {
        secrets::make_directory(&config.data_dir)?;
    }
    let kept = store::restore(&database, from, Clock::system().now()).await?;
    say(format_args!("{}: restored from {}, checked", database.display(), from.display()));
    if let Some(kept) = kept {
        say(format_args!("what was there before is kept as {}", kept.display()));
    }
    say(format_args!(
        "start the server; readers of changes are told that their cursors are gone, and begin anew"
    ));
    Ok(())
}

/// Writes the database anew in its place.
pub(crate) async fn compact(config: &Config) -> Result<(), Failure> {
    let database = database(config)?;
    store::compact(&database).await?;
    say(format_args!("{}: written anew; nothing of what was erased is left in it", database.display()));
    Ok(())
}

fn database(config: &Config) -> Result<PathBuf, Failure> {
    match opening::database(config)? {
        DatabaseTarget::Sqlite(file) => Ok(file),
        DatabaseTarget::SqliteUrl(url) => Ok(SqliteStore::file_of(&url)?),
        DatabaseTarget::Postgres(_) => {
            Err("backup, restore and compact are for SQLite; PostgreSQL has its own tools, such as \
            pg_basebackup and pg_dump, and vacuums by itself: see docs/high-availability.md"
                .into())
        }
    }
}
