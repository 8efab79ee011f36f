//! Which database: a file or a server.

use std::{path::PathBuf, str::FromStr};

use sqlx::postgres::PgConnectOptions;

use super::{Inspection, OpenError, SqliteStore, postgres, sqlite};

/// Which database, not opened yet.
pub(crate) enum DatabaseTarget {
    /// A file of its own.
    Sqlite(PathBuf),
    /// A file, with SQLite's parameters.
    SqliteUrl(String),
    /// A server.
    Postgres(String),
}

/// What the driver knows behind the question mark of a URL of PostgreSQL's; all else it would pass over.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The URL is of no database that is known here.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum DatabaseUrlError {
    #[error("--database-url must begin with sqlite:// or postgres://")]
    Scheme,
    /// Not the value, which may be a password.
    #[error("the database URL has the parameter {name}, which there is not; did you mean {nearest}?")]
    Parameter { name: String, nearest: &'static str },
}

impl DatabaseTarget {
    /// # Errors
    /// [`DatabaseUrlError`].
    pub(crate) fn parse(url: &str) -> Result<Self, DatabaseUrlError> {
        match url.split_once(':') {
            Some(("sqlite", _)) => Ok(Self::SqliteUrl(url.to_owned())),
            Some(("postgres" | "postgresql", _)) => {
                check_parameters(url).map(|()| Self::Postgres(url.to_owned()))
            }
            _ => Err(DatabaseUrlError::Scheme),
        }
    }

    /// Looks at it before a start.
    ///
    /// # Errors
    /// With it the server would not start.
    pub(crate) async fn inspect(&self) -> Result<Inspection, OpenError> {
        match self {
            Self::Sqlite(file) => sqlite::inspect(file).await,
            Self::SqliteUrl(url) => sqlite::inspect(&SqliteStore::file_of(url)?).await,
            Self::Postgres(url) => postgres::inspect(url).await,
        }
    }
}

/// A slip in `sslmode` would otherwise be a connection without the TLS that was asked for.
///
/// # Errors
/// There is a parameter that nobody reads.
pub(crate) fn check_parameters(url: &str) -> Result<(), DatabaseUrlError> {
    let (_, parameters) = url.split_once('?').unwrap_or((url, ""));
    let mut names = parameters.split('&').filter_map(|pair| pair.split('=').next());
    let is_known = |name: &str| name.is_empty() || name.starts_with("options[") || PARAMETERS.contains(&name);
    let Some(name) = names.find(|name| !is_known(name)) else { return Ok(()) };
    let nearest = PARAMETERS.into_iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
    Err(DatabaseUrlError::Parameter { name: name.to_owned(), nearest: nearest.unwrap_or_default() })
}

/// Which server a URL of PostgreSQL's leads to, in which a password that is not percent-encoded may be taken for one.
pub(crate) fn server_of(url: &str) -> String {
    PgConnectOptions::from_str(url)
        .map_or_else(|_| String::new(), |options| format!("{}:{}", options.get_host(), options.get_port()))
}

/// Whether the second URL leads to a standby of the PostgreSQL database behind the first.
///
/// # Errors
/// One of them cannot be asked.
pub(crate) async fn standby_of(url: &str, standby: &str) -> Result<bool, OpenError> {
    postgres::standby_of(url, standby).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_nobody_reads_is_refused_by_its_name_alone() {
        let parse =
            |parameters: &str| DatabaseTarget::parse(&format!("postgres://host/incidents{parameters}"));
        for taken in ["", "?", "?sslmode=verify-full&sslrootcert=/a%20b.pem", "?options[search_path]=x"] {
            assert!(parse(taken).is_ok(), "{taken}");
        }

        let refused = parse("?user=a&sslmod=verify-full").err().map(|refused| refused.to_string());

        assert!(refused.is_some_and(|refused| refused.ends_with("sslmod, which there is not; did you mean sslmode?")));
        assert!(!parse("?pasword=geheim").err().unwrap().to_string().contains("geheim"));
    }
}
