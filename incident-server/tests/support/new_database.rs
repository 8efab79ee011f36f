//! A new, empty database on the PostgreSQL server that `tests/postgres` starts: for the tests inside the server's
//! crate, for its contract, and for the end-to-end tests, each of which takes this file in.

use std::{
    env,
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
};

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, postgres::PgConnectOptions};

/// Where that server is found.
pub(crate) const URL_VARIABLE: &str = "INCIDENT_TEST_POSTGRES_URL";

static DATABASES: AtomicU32 = AtomicU32::new(0);

/// How the PostgreSQL server for tests is reached.
pub(crate) fn test_server() -> PgConnectOptions {
    let url = env::var(URL_VARIABLE).unwrap_or_else(|_| {
        panic!(
            "{URL_VARIABLE} is not set, so nothing was tested on PostgreSQL: \
             run `tests/postgres cargo test …`, which starts one"
        )
    });
    PgConnectOptions::from_str(&url).expect("a PostgreSQL URL")
}

/// A new database on that server or another one; `kind` is a part of its name.
pub(crate) async fn new_database(server: &PgConnectOptions, kind: &str) -> PgConnectOptions {
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("incident_{kind}_{}_{number}", std::process::id());
    let mut session = server.connect().await.expect("the PostgreSQL server for tests answers");
    // A process of the same number may have left one.
    for statement in [format!("DROP DATABASE IF EXISTS {name}"), format!("CREATE DATABASE {name}")] {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut session).await.expect("a new database");
    }
    session.close().await.expect("a clean end");
    server.clone().database(&name)
}
