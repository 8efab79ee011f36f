//! Where the servers under test keep their incidents. The one place that knows which database that is.

use std::path::Path;

use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions};

/// The `--database-url` of a new, empty database for one test; `None` for the embedded default.
pub fn fresh_url() -> Option<String> {
    None
}

/// Opens the embedded database of a data directory beside the server.
///
/// # Panics
/// There is none.
pub async fn open_embedded(data_dir: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data_dir.join("incidents.sqlite"));
    options.connect().await.expect("the server has made its database")
}

/// Runs statements on the embedded database beside the server.
///
/// # Panics
/// They fail.
pub async fn execute_embedded(data_dir: &Path, sql: &'static str) {
    let mut connection = open_embedded(data_dir).await;
    sqlx::raw_sql(sql).execute(&mut connection).await.expect("the statement is right");
}
