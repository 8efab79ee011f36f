//! Where the incidents go: a new SQLite file, or a database of its own in a running PostgreSQL.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

use crate::{Failure, subject::Subject};

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
    pub(crate) async fn settle(&self) -> Result<(), Failure> {
        if let Some(options) = &self.postgres {
            sqlx::raw_sql("CHECKPOINT").execute(&mut options.connect().await?).await?;
        }
        Ok(())
    }

    /// Stores rows in one transaction, durably; no server may run on it. Returns how long that took.
    pub(crate) async fn insert(&self, rows: Rows) -> Result<Duration, Failure> {
        if let Some(options) = &self.postgres {
            return insert_into_postgres(&mut options.connect().await?, rows).await;
        }
        let file = SqliteConnectOptions::new().filename(self.folder.path().join("incidents.sqlite"));
        // With less, five million rows take an hour: the pages of an index are written again and again.
        let file = file.pragma("synchronous", "FULL").pragma("cache_size", "-1000000");
        insert_into_sqlite(file.connect().await?, rows).await
    }
}

impl Rows {
    /// The statement that makes the values, and those that store them.
    fn statements(self, text: &str) -> Result<(String, String), Failure> {
        let text = text.replace("{count}", &self.count.to_string());
        let text = text.replace("{first_ms}", &self.first_ms.to_string());
        let text = text.replace("{step_ms}", &self.step_ms.to_string());
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
