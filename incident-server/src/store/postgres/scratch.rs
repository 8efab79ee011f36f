//! A database for one test on the server that `tests/postgres` starts.

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

use self::new_database::{new_database, test_server};
use crate::store::migrations;

#[path = "../../../tests/support/new_database.rs"]
mod new_database;

/// Twenty locations, fifty reporters; one in a hundred is open, all in the oldest part of the table.
const FILL: &str = "
    INSERT INTO incidents (
        id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
        cancelled_at_ms, location_id, reporter, cancellation_reason
    )
    SELECT
        (lpad(to_hex(1732320000000 + n), 12, '0') || '80008000' || lpad(to_hex(n), 12, '0'))::uuid,
        1, false, false, 0, 0, 1732320000000 + n, 1732320000000 + n,
        CASE WHEN n > 500 THEN 1732320000000 + n END,
        'location-' || (n % 20), 'reporter-' || (n % 50),
        CASE WHEN n > 500 THEN 'x' END
    FROM generate_series(0::bigint, 50000) AS numbers (n);

    INSERT INTO history (incident_id, at_ms, kind)
    SELECT id, received_at_ms, 'created'
    FROM incidents";

/// A database with the tables, and nothing in them.
pub(super) async fn empty(name: &str) -> PgConnectOptions {
    of_version(name, i64::MAX).await
}

/// The same, as they were when this migration was the last.
pub(super) async fn of_version(name: &str, newest: i64) -> PgConnectOptions {
    let options = new_database(&test_server().ssl_mode(PgSslMode::Disable), &format!("unit_{name}")).await;
    let mut session: PgConnection = options.connect().await.expect("it is there");
    migrations::POSTGRES.run_direct(Some(newest), &mut session, false).await.expect("its tables");
    session.close().await.expect("nothing is lost");
    options
}

/// A database with the tables of a first version that holds many incidents, and with no index that came later.
pub(super) async fn filled(name: &str) -> PgConnectOptions {
    let options = empty(name).await;
    let mut session = options.connect().await.expect("it is there");
    sqlx::raw_sql(FILL).execute(&mut session).await.expect("its rows");
    session.close().await.expect("nothing is lost");
    options
}

const PARTITIONED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/postgres/partitioned.sql"));

/// The same, partitioned: what is there up to this moment, ranges of half a year behind it.
pub(super) async fn partitioned(name: &str, bound: &str) -> PgConnectOptions {
    let options = filled(name).await;
    let mut session = options.connect().await.expect("it is there");
    let statements = format!("SET incident.bound = '{bound}'; {PARTITIONED}");
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut session).await.expect("partitioned");
    session.close().await.expect("nothing is lost");
    options
}
