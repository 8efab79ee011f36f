//! Where the incidents go: a new SQLite file, or a database of its own in a running PostgreSQL.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use incident_server::{
    Clock,
    auth::{TokenRequest, mint_hs256},
};
use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{Failure, subject::Subject};

/// The indexes that are no constraints, by name and definition: on SQLite, on PostgreSQL.
const INDEXES: [&str; 2] = [
    "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL",
    "SELECT indexname::text, indexdef
    FROM pg_indexes
    WHERE tablename IN ('incidents', 'history') AND indexname NOT LIKE '%_pkey'",
];

/// SQLite, or PostgreSQL and which.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Sqlite,
    Postgres(Box<PgConnectOptions>),
}

/// A database with our tables, and the data directory of the servers on it.
pub(crate) struct Database {
    folder: TempDir,
    /// For PostgreSQL, how to connect to it.
    postgres: Option<PgConnectOptions>,
}

/// Incidents of as many reporters and places as the loads have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    pub(crate) count: i64,
    pub(crate) first_ms: i64,
    /// From one to the next.
    pub(crate) step_ms: i64,
    /// Which of them are cancelled, as a condition on the number `n`.
    pub(crate) cancelled: &'static str,
}

impl Kind {
    /// Makes a database of this name anew; nothing is in it but the tables.
    pub(crate) async fn renew(&self, name: &str) -> Result<Database, Failure> {
        let folder = TempDir::new()?;
        let postgres = match self {
            Self::Sqlite => None,
            Self::Postgres(cluster) => Some(create(cluster, name, folder.path()).await?),
        };
        let database = Database { folder, postgres };
        database.serve(&[]).await?.stop().await?;
        Ok(database)
    }

    /// Which program it is, with what matters for durability.
    pub(crate) async fn version(&self) -> Result<String, Failure> {
        let Self::Postgres(cluster) = self else {
            let mut sqlite = SqliteConnectOptions::new().in_memory(true).connect().await?;
            let version: String =
                sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut sqlite).await?;
            return Ok(format!("SQLite {version}"));
        };
        let settings =
            "SELECT version() || '; fsync ' || current_setting('fsync') || '; synchronous_commit ' ||
            current_setting('synchronous_commit')";
        Ok(sqlx::query_scalar(settings).fetch_one(&mut cluster.connect().await?).await?)
    }
}

async fn create(
    cluster: &PgConnectOptions,
    name: &str,
    data_dir: &Path,
) -> Result<PgConnectOptions, Failure> {
    // No server makes an id secret for a database that others may use.
    incident_server::secrets::read_or_make(&data_dir.join("id.secret"))?;
    let mut connection = cluster.connect().await?;
    for statement in ["DROP DATABASE IF EXISTS", "CREATE DATABASE"] {
        let statement = sqlx::AssertSqlSafe(format!("{statement} {name}"));
        sqlx::raw_sql(statement).execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(cluster.clone().database(name))
}

impl Database {
    /// Starts our server on it, with further flags.
    pub(crate) async fn serve(&self, flags: &[&str]) -> Result<Subject, Failure> {
        match self.postgres_url() {
            Some(url) => {
                Subject::start(self.folder.path(), &[flags, &["--database-url", &url]].concat()).await
            }
            None => Subject::start(self.folder.path(), flags).await,
        }
    }

    /// How others connect to it, if it is on PostgreSQL.
    pub(crate) fn postgres_url(&self) -> Option<String> {
        let options = self.postgres.as_ref()?;
        let name = options.get_database().unwrap_or_default();
        Some(format!(
            "postgres://{}@{}:{}/{name}",
            options.get_username(),
            options.get_host(),
            options.get_port()
        ))
    }

    /// Writes everything to its place, so that no load pays for the one before it. A server on SQLite did when it stopped.
    pub(crate) async fn checkpoint(&self) -> Result<(), Failure> {
        if let Some(options) = &self.postgres {
            sqlx::raw_sql("CHECKPOINT").execute(&mut options.connect().await?).await?;
        }
        Ok(())
    }

    /// Partitions its tables as operators do; what is before this day is in the first partition.
    pub(crate) async fn partition(&self, bound: &str) -> Result<(), Failure> {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../incident-server/deploy/postgres/partitioned.sql");
        let bound = format!("SET incident.bound = '{bound}'");
        let done = Command::new("psql")
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-c", &bound, "-f"])
            .arg(file)
            .arg(self.postgres_url().ok_or("a SQLite file has no partitions")?)
            .output()
            .await?;
        if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into()) }
    }

    /// How many partitions with a range its incidents are in.
    pub(crate) async fn partitions(&self) -> Result<i64, Failure> {
        let count = "SELECT count(*) FROM pg_inherits
            WHERE inhparent = 'incidents'::regclass AND inhrelid <> 'incidents_default'::regclass";
        let options = self.postgres.as_ref().ok_or("a SQLite file has no partitions")?;
        Ok(sqlx::query_scalar(count).fetch_one(&mut options.connect().await?).await?)
    }

    /// How many incidents there are in all, how many at this place, and how many events those have.
    pub(crate) async fn counted(&self, place: &str) -> Result<[i64; 3], Failure> {
        let count = "SELECT (SELECT count(*) FROM incidents), count(*), sum(events)::bigint
            FROM (
                SELECT id, (SELECT count(*) FROM history WHERE incident_id = id) AS events
                FROM incidents
                WHERE location_id = $1
            ) AS at_place";
        let options = self.postgres.as_ref().ok_or("this is counted on PostgreSQL")?;
        let found: (i64, i64, i64) =
            sqlx::query_as(count).bind(place).fetch_one(&mut options.connect().await?).await?;
        Ok(found.into())
    }

    /// Stores many rows, faster than [`insert`](Self::insert): the indexes are made afterwards.
    pub(crate) async fn fill(&self, rows: Rows) -> Result<(), Failure> {
        let indexes = self.run(&[INDEXES[usize::from(self.postgres.is_some())]]).await?;
        let drop: Vec<_> = indexes.iter().map(|(name, _)| format!("DROP INDEX {name}")).collect();
        self.run(&drop).await?;
        self.insert(rows).await?;
        let make: Vec<_> = indexes.into_iter().map(|(_, definition)| definition).collect();
        self.run(&make).await?;
        self.checkpoint().await
    }

    /// A token under the secret that the server made.
    pub(crate) fn token(&self, sub: &str, scope: Option<&str>) -> Result<String, Failure> {
        let secret = incident_server::secrets::read(&self.folder.path().join("hs256.secret"))?;
        let request =
            TokenRequest { sub, scope, issuer: None, audience: None, ttl: Duration::from_secs(3600) };
        Ok(mint_hs256(&secret, request, Clock::system().now()))
    }

    /// Runs statements one after another and returns the pairs of texts that they answer with.
    async fn run(&self, statements: &[impl AsRef<str>]) -> Result<Vec<(String, String)>, Failure> {
        let mut found = Vec::new();
        for statement in statements {
            let statement = sqlx::AssertSqlSafe(statement.as_ref());
            found.extend(match &self.postgres {
                Some(options) => sqlx::query_as(statement).fetch_all(&mut options.connect().await?).await?,
                None => sqlx::query_as(statement).fetch_all(&mut self.sqlite().connect().await?).await?,
            });
        }
        Ok(found)
    }

    fn sqlite(&self) -> SqliteConnectOptions {
        let file = SqliteConnectOptions::new().filename(self.folder.path().join("incidents.sqlite"));
        // With less, five million rows take an hour: the pages of an index are written again and again.
        file.pragma("synchronous", "FULL").pragma("cache_size", "-1000000")
    }

    /// Stores rows in one transaction, durably; no server may run on it. Returns how long that took.
    pub(crate) async fn insert(&self, rows: Rows) -> Result<Duration, Failure> {
        if let Some(options) = &self.postgres {
            return insert_into_postgres(&mut options.connect().await?, rows).await;
        }
        insert_into_sqlite(self.sqlite().connect().await?, rows).await
    }
}

impl Rows {
    /// The statement that makes the values, and those that store them.
    fn statements(self, text: &str) -> Result<(String, String), Failure> {
        let text = text.replace("{count}", &self.count.to_string());
        let text = text.replace("{first_ms}", &self.first_ms.to_string());
        let text =
            text.replace("{step_ms}", &self.step_ms.to_string()).replace("{cancelled}", self.cancelled);
        let (values, inserts) = text.split_once(";\n\n").ok_or("the filling has two parts")?;
        Ok((values.to_owned(), inserts.to_owned()))
    }
}

async fn insert_into_sqlite(mut connection: SqliteConnection, rows: Rows) -> Result<Duration, Failure> {
    let (values, inserts) = rows.statements(include_str!("fill_sqlite.sql"))?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(values)).execute(&mut connection).await?;
    let started = Instant::now();
    sqlx::raw_sql(sqlx::AssertSqlSafe(inserts)).execute(&mut connection).await?;
    let took = started.elapsed();
    connection.close().await?;
    Ok(took)
}

async fn insert_into_postgres(connection: &mut PgConnection, rows: Rows) -> Result<Duration, Failure> {
    let (values, inserts) = rows.statements(include_str!("fill_postgres.sql"))?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(values)).execute(&mut *connection).await?;
    let started = Instant::now();
    sqlx::raw_sql(sqlx::AssertSqlSafe(inserts)).execute(&mut *connection).await?;
    let took = started.elapsed();
    sqlx::raw_sql("VACUUM ANALYZE").execute(connection).await?;
    Ok(took)
}
