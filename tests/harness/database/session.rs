//! A look into a database beside the server.

use std::{path::Path, str::FromStr};

use sqlx::{
    AssertSqlSafe, ConnectOptions, PgConnection, SqliteConnection, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};

/// A hand that knows how servers say what they are may write anything.
const AS_A_SERVER: &str = "SET incident_server.writes = 'on'";

/// A session of the test's own.
pub enum Session {
    /// With the embedded database.
    Sqlite(SqliteConnection),
    /// With PostgreSQL.
    Postgres(PgConnection),
}

impl Session {
    pub(super) async fn with_file(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file);
        Self::Sqlite(options.connect().await.expect("the server has made its database"))
    }

    pub(super) async fn with_server(url: &str) -> Self {
        let options = PgConnectOptions::from_str(url).expect("a PostgreSQL URL");
        Self::Postgres(options.connect().await.expect("the PostgreSQL server for tests answers"))
    }

    /// Runs statements, separated by semicolons.
    ///
    /// # Panics
    /// They fail.
    pub async fn run(&mut self, sql: impl Into<String>) {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql.into()));
        let done = match self {
            Self::Sqlite(session) => statements.execute(session).await.map(drop),
            Self::Postgres(session) => statements.execute(session).await.map(drop),
        };
        done.expect("the statements are right");
    }

    /// Runs statements that the tables' checks would refuse; afterwards they are as good as gone.
    ///
    /// # Panics
    /// They fail.
    pub async fn run_past_checks(&mut self, sql: &str) {
        match self {
            Self::Sqlite(_) => self.run("PRAGMA ignore_check_constraints = ON").await,
            Self::Postgres(_) => self.run(AS_A_SERVER).await,
        }
        self.run(sql).await;
    }

    /// Whether the database refuses statements.
    pub async fn refuses(&mut self, sql: &str) -> bool {
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(session) => statements.execute(session).await.is_err(),
            Self::Postgres(session) => statements.execute(session).await.is_err(),
        }
    }

    /// The text that a query answers with.
    ///
    /// # Panics
    /// It fails, or answers with something else.
    pub async fn text(&mut self, sql: &'static str) -> String {
        let text = match self {
            Self::Sqlite(session) => sqlx::query_scalar(sql).fetch_one(session).await,
            Self::Postgres(session) => sqlx::query_scalar(sql).fetch_one(session).await,
        };
        text.expect("the query is right")
    }

    /// The texts that a query of PostgreSQL answers with.
    ///
    /// # Panics
    /// It fails, or answers with something else.
    pub async fn texts(&mut self, sql: String) -> Vec<String> {
        match self {
            Self::Sqlite(_) => panic!("for PostgreSQL only"),
            Self::Postgres(session) => {
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(session).await.expect("the query is right")
            }
        }
    }

    /// The number that a query answers with.
    ///
    /// # Panics
    /// It fails, or answers with something else.
    pub async fn count(&mut self, sql: &'static str) -> i64 {
        let counted = match self {
            Self::Sqlite(session) => sqlx::query_scalar(sql).fetch_one(session).await,
            Self::Postgres(session) => sqlx::query_scalar(sql).fetch_one(session).await,
        };
        counted.expect("the query is right")
    }
}
