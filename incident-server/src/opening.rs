//! From the configuration to an open database and the secret that its incidents are named under.

use std::{path::Path, sync::Arc, time::Duration};

use incident_core::IdSecret;
use tokio::time::sleep;

use crate::{
    cli::Config,
    console::Failure,
    secrets,
    store::{
        DatabaseTarget, DatabaseUrlError, OpenError, PgStore, SqliteStore, Store, StoreError,
        check_parameters, server_of,
    },
};

pub(crate) const ID_SECRET: &str = "id.secret";
/// The name of the default database in the data directory.
const DATABASE: &str = "incidents.sqlite";
/// How often a database that is away at the start is asked for, and told of in the log.
const PAUSE: Duration = Duration::from_secs(2);

/// The configured database.
///
/// # Errors
/// The URL is of no database that is known here.
pub(crate) fn database(config: &Config) -> Result<DatabaseTarget, DatabaseUrlError> {
    match config.database_url.as_deref() {
        None => Ok(DatabaseTarget::Sqlite(config.data_dir.join(DATABASE))),
        Some(url) => DatabaseTarget::parse(url),
    }
}

/// Whether other servers may use the configured database.
pub(crate) fn is_shared(config: &Config) -> bool {
    matches!(database(config), Ok(DatabaseTarget::Postgres(_)))
}

/// Opens the configured database; one that is away is waited for, however long it takes.
///
/// # Errors
/// It is there and cannot be used.
pub(crate) async fn store(config: &Config) -> Result<Arc<dyn Store>, Failure> {
    let standby = standby(config)?;
    Ok(match database(config)? {
        DatabaseTarget::Sqlite(file) => {
            secrets::make_directory(&config.data_dir)?;
            Arc::new(SqliteStore::open_file(&file).await?)
        }
        DatabaseTarget::SqliteUrl(url) => Arc::new(SqliteStore::open_url(&url).await?),
        DatabaseTarget::Postgres(url) => Arc::new(waited_for(&url, standby).await?),
    })
}

/// The URL of the standby, if one is to be read.
///
/// # Errors
/// The database is none that has a standby, or the URL is none of a standby.
pub(crate) fn standby(config: &Config) -> Result<Option<&str>, Failure> {
    let Some(url) = config.read_database_url.as_deref() else { return Ok(None) };
    let is_postgres = |url: &str| url.starts_with("postgres:") || url.starts_with("postgresql:");
    if is_postgres(url) && config.database_url.as_deref().is_some_and(is_postgres) {
        check_parameters(url)?;
        return Ok(Some(url));
    }
    Err("--read-database-url is for a standby of the database that --database-url names, both with postgres://".into())
}

async fn waited_for(url: &str, standby: Option<&str>) -> Result<PgStore, OpenError> {
    loop {
        match PgStore::open_urls(url, standby).await {
            Err(error) if error.may_pass() => {
                let server = server_of(url);
                tracing::warn!(%error, server, "the database is not there yet; nothing is served until it is");
            }
            opened => return opened,
        }
        sleep(PAUSE).await;
    }
}

/// Whether the secrets are there that the database is opened with, as far as that can be told without opening it.
///
/// # Errors
/// One that was named cannot be used, or one is missing that must not be made anew.
pub(crate) async fn may_open(config: &Config) -> Result<(), Failure> {
    let tokens = [&config.auth_hs256_secret_file, &config.auth_hs256_previous_secret_file];
    // Those of tokens count for nothing beside an issuer, but who names one means it.
    for named in tokens.into_iter().chain([&config.id_secret_file]).flatten() {
        secrets::load(named)?;
    }
    let own = config.data_dir.join(ID_SECRET);
    // What cannot be looked at is refused in its own words when it is opened.
    if config.id_secret_file.is_some() || own.try_exists().unwrap_or(true) {
        return Ok(());
    }
    match database(config)? {
        DatabaseTarget::Postgres(_) => may_be_made(&own, true, true),
        file => file.inspect().await.map_or(Ok(()), |found| may_be_made(&own, false, found.holds_incidents)),
    }
}

/// The secret between idempotency keys and incident ids, if it is the one that the database was filled under.
///
/// # Errors
/// The secret is missing or another one: with it every repeat would be stored as a new incident.
pub(crate) async fn id_secret(config: &Config, store: &dyn Store) -> Result<IdSecret, Failure> {
    let own = config.data_dir.join(ID_SECRET);
    let file = config.id_secret_file.as_ref().unwrap_or(&own);
    let is_missing = config.id_secret_file.is_none() && !own.try_exists()?;
    if is_missing {
        may_be_made(&own, store.is_shared(), store.holds_incidents().await?)?;
        secrets::make_directory(&config.data_dir)?;
    }
    let bytes = if is_missing { secrets::read_or_make(file) } else { secrets::read(file) };
    let secret = IdSecret::new(&bytes?)?;
    if knows(store, &secret).await? { Ok(secret) } else { Err(another(file)) }
}

/// Whether the database is filled under this secret, or under none yet. One that has been opened may have no session left
/// for a moment, and is waited for as before.
async fn knows(store: &dyn Store, secret: &IdSecret) -> Result<bool, StoreError> {
    loop {
        match store.knows_secret(secret.fingerprint()).await {
            Err(error @ StoreError::Unavailable(_)) if store.is_shared() => {
                tracing::warn!(%error, "the database does not answer; nothing is served until it does");
            }
            known => return known,
        }
        sleep(PAUSE).await;
    }
}

/// Whether a new id secret does no harm.
///
/// # Errors
/// Incidents are named under another one, or may be.
pub(crate) fn may_be_made(file: &Path, is_shared: bool, holds_incidents: bool) -> Result<(), Failure> {
    let file = file.display();
    if is_shared {
        return Err(format!(
            "there is no id secret in {file}, and none is made for a database that other servers may use: make one for \
             all of them (openssl rand -hex 32) and name its file with --id-secret-file or INCIDENT_ID_SECRET_FILE"
        )
        .into());
    }
    if holds_incidents {
        return Err(format!(
            "the database holds incidents, but the id secret they were named under is missing in {file}: put it back from \
             its backup, or name its file with --id-secret-file or INCIDENT_ID_SECRET_FILE; with a new one every repeat \
             would be stored a second time"
        )
        .into());
    }
    Ok(())
}

/// What to say of a secret that is not the database's.
pub(crate) fn another(file: &Path) -> Failure {
    format!(
        "the id secret in {} is not the one under which the incidents of this database were named, so every repeat would \
         be stored a second time; name the right file with --id-secret-file or INCIDENT_ID_SECRET_FILE",
        file.display()
    )
    .into()
}
