//! Databases on the PostgreSQL server for tests.

use std::{str::FromStr, thread};

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};

use self::new_database::{new_database, test_server};
use super::Session;

#[path = "../../../incident-server/tests/support/new_database.rs"]
mod new_database;

/// Sessions with this database that are not the one that asks.
pub(super) const OTHER_SESSIONS: &str = "
    SELECT count(*)
    FROM pg_stat_activity
    WHERE datname = current_database()
        AND backend_type = 'client backend'
        AND pid <> pg_backend_pid()";

/// A query for every table that a dump of the database would have.
const QUERIES: &str = "
    SELECT format('SELECT row::text FROM %I.%I AS row', schemaname, tablename)
    FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')";

/// A database that is gone with the value.
pub struct Scratch {
    name: String,
    pub(super) url: String,
}

impl Scratch {
    pub(super) fn new() -> Self {
        let options = apart(async { new_database(&test_server(), "e2e").await }).expect("a new database");
        let name = options.get_database().unwrap_or_default().to_owned();
        Self { name, url: options.to_url_lossy().into() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Where this fails, the database stays until the server for tests is thrown away.
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let server: String = test_server().to_url_lossy().into();
        let _ = apart(async move { Session::with_server(&server).await.run(drop).await });
    }
}

/// Waits on a thread of its own, for those who cannot: a constructor, a drop.
fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> thread::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    thread::spawn(move || runtime.block_on(work)).join()
}

/// Every row of every table, as text.
pub(super) async fn every_row(url: &str) -> Vec<Vec<u8>> {
    let options = PgConnectOptions::from_str(url).expect("a PostgreSQL URL");
    let mut session: PgConnection = options.connect().await.expect("the database answers");
    let queries: Vec<String> = sqlx::query_scalar(QUERIES).fetch_all(&mut session).await.expect("its tables");
    let mut rows = Vec::new();
    for query in queries {
        let found = sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).fetch_all(&mut session).await;
        rows.extend(found.expect("a table can be read").into_iter().map(String::into_bytes));
    }
    assert!(!rows.is_empty(), "the server has made its tables");
    rows
}
