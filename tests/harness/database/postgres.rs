//! Databases on the PostgreSQL server for tests.

use std::{
    env,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection, postgres::PgConnectOptions};

use super::Session;

/// Where that server is found; `tests/postgres` starts one and sets it.
const URL_VARIABLE: &str = "INCIDENT_TEST_POSTGRES_URL";

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

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database that is gone with the value.
pub struct Scratch {
    name: String,
    pub(super) url: String,
}

impl Scratch {
    pub(super) fn new() -> Self {
        let number = DATABASES.fetch_add(1, Ordering::Relaxed);
        let name = format!("incident_e2e_{}_{number}", std::process::id());
        let options = PgConnectOptions::from_str(&server()).expect("a PostgreSQL URL").database(&name);
        administrate(format!("CREATE DATABASE {name}")).expect("a new database");
        Self { name, url: options.to_url_lossy().into() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Where this fails, the database stays until the server for tests is thrown away.
        let _ = administrate(format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn server() -> String {
    env::var(URL_VARIABLE).unwrap_or_else(|_| {
        panic!("{URL_VARIABLE} is not set, so nothing was tested on PostgreSQL: run `tests/postgres cargo test …`")
    })
}

/// Waits on a thread of its own, for those who cannot: a constructor, a drop.
fn administrate(statement: String) -> thread::Result<()> {
    let work = async { Session::with_server(&server()).await.run(statement).await };
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
