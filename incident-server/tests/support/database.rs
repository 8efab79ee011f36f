//! A new, empty database for one test.

use std::{path::PathBuf, str::FromStr, sync::Arc};

use incident_core::IncidentId;
use incident_server::store::{PgStore, SqliteStore, Store};
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use super::new_database::{new_database, test_server};

const PARTITIONED: &str = include_str!("../../deploy/postgres/partitioned.sql");

/// A hand that knows how servers say what they are may write anything.
const AS_A_SERVER: &str = "SET incident_server.writes = 'on'";

/// A database that servers can be started on.
pub(crate) enum TestDatabase {
    Sqlite(TempDir),
    Postgres(String),
}

/// How the tables of a PostgreSQL database are laid out.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tables {
    Whole,
    /// Reports from before the third millisecond of the morning are in one partition, those from then on in another.
    Partitioned,
}

impl Tables {
    /// Makes them in a new database.
    pub(crate) async fn make_in(self, url: &str) {
        PgStore::open_url(url).await.expect("opens").close().await;
        if let Self::Partitioned = self {
            let statements = format!("SET incident.bound = '2026-11-22T10:00:00.003Z'; {PARTITIONED}");
            let mut session = PgConnection::connect(url).await.expect("the database answers");
            sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut session).await.expect("partitioned");
        }
    }
}

impl TestDatabase {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().expect("a directory for the test"))
    }

    pub(crate) async fn postgres() -> Self {
        Self::Postgres(new_database(&test_server(), "test").await.to_url_lossy().into())
    }

    /// The same with its tables partitioned.
    pub(crate) async fn partitioned() -> Self {
        let database = Self::postgres().await;
        Tables::Partitioned.make_in(database.url()).await;
        database
    }

    /// A new database on a PostgreSQL server.
    pub(crate) async fn new_on(url: &str) -> Self {
        let server = PgConnectOptions::from_str(url).expect("a PostgreSQL URL");
        Self::Postgres(new_database(&server, "test").await.to_url_lossy().into())
    }

    /// Starts a server's store on it, as after a restart.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(directory) => {
                Arc::new(SqliteStore::open_file(&file(directory)).await.expect("opens"))
            }
            Self::Postgres(url) => Arc::new(PgStore::open_url(url).await.expect("opens")),
        }
    }

    /// The stores of several servers beside each other; on SQLite there can only be one server.
    pub(crate) async fn servers(&self, count: usize) -> Vec<Arc<dyn Store>> {
        let mut servers = Vec::new();
        for _ in 0..count {
            servers.push(match self {
                Self::Sqlite(_) if !servers.is_empty() => Arc::clone(&servers[0]),
                _ => self.open().await,
            });
        }
        servers
    }

    /// Runs statements by hand, past every check.
    pub(crate) async fn edit(&self, statements: &str) {
        match self {
            Self::Sqlite(directory) => {
                let options = SqliteConnectOptions::new().filename(file(directory));
                let mut session = options.connect().await.expect("the file is there");
                let statements = format!("PRAGMA ignore_check_constraints = ON; {statements}");
                sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut session).await.expect("they are right");
            }
            Self::Postgres(_) => {
                let statements = format!("{AS_A_SERVER}; {statements}");
                let mut session = self.session().await;
                sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut session).await.expect("they are right");
            }
        }
    }

    /// From now on the database does not let the row of this incident be erased.
    pub(crate) async fn refuse_erasure_of(&self, id: IncidentId) {
        let statements = match self {
            Self::Sqlite(_) => format!(
                "CREATE TRIGGER refuses BEFORE UPDATE ON incidents
                 WHEN NEW.erased_at_ms IS NOT NULL AND NEW.id = x'{}'
                 BEGIN SELECT RAISE(ABORT, 'refused'); END",
                id.to_string().replace('-', "")
            ),
            Self::Postgres(_) => format!(
                "ALTER TABLE incidents ADD CONSTRAINT refuses
                 CHECK (id <> '{id}' OR erased_at_ms IS NULL)"
            ),
        };
        self.edit(&statements).await;
    }

    /// The URL of a PostgreSQL database.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite(_) => panic!("a SQLite file has no server"),
            Self::Postgres(url) => url,
        }
    }

    /// A session of one's own with the database.
    pub(crate) async fn session(&self) -> PgConnection {
        PgConnection::connect(self.url()).await.expect("the database answers")
    }
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("incidents.sqlite")
}
