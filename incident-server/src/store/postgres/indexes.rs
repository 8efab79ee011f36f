//! The indexes of open and of cancelled incidents, made beside the load.
//!
//! They came later than the tables. `CREATE INDEX` keeps writers out for as long as it reads the table, minutes
//! on a large one; `CREATE INDEX CONCURRENTLY` does not, but may stand in no transaction, and waits for those of
//! others: so it is no migration, and no server waits for it at its start.

use std::{mem, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::sleep;

use super::{
    connect,
    partitioned_index::{self, IS_PARTITIONED, STATE},
};

/// Name, and what is in it of `incidents`. "Open ones" and "cancelled ones", everywhere and at one location, are ranges of these, and
/// all are two of them merged: so every row is in one index by location. One reporter's own are a range with all that may be
/// asked for, so that only what is shown is looked up. Erased ones, which have `cancelled_at_ms` and no location, are in no
/// list's range.
const INDEXES: [(&str, &str); 5] = [
    ("incidents_open", "(id) WHERE cancelled_at_ms IS NULL"),
    ("incidents_open_by_location", "(location_id, id) WHERE cancelled_at_ms IS NULL"),
    ("incidents_cancelled_kept", "(id) WHERE cancelled_at_ms IS NOT NULL AND erased_at_ms IS NULL"),
    ("incidents_cancelled_by_location", "(location_id, id) WHERE cancelled_at_ms IS NOT NULL"),
    ("incidents_of_reporter", "(reporter, id, location_id, cancelled_at_ms) WHERE reporter IS NOT NULL"),
];

/// What they took the place of.
const SUPERSEDED: [&str; 3] = ["incidents_by_reporter", "incidents_by_location", "incidents_cancelled"];

/// A table with more rows than this is not read while writers wait.
const FEW_ROWS: i64 = 10_000;

/// Serialises servers that make them: two locks of its own class, one for each way.
const LOCK: &str = "SELECT pg_advisory_lock(1768842853, 1)";
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(1768842853, 2)";
const UNLOCK: &str = "SELECT pg_advisory_unlock(1768842853, 1)";

/// Between two looks at whether another server has made them, or has ended.
const PAUSE: Duration = Duration::from_secs(10);
/// Whatever stood in the way, such as a disk without room, may take an administrator.
const PAUSE_AFTER_A_FAILURE: Duration = Duration::from_secs(600);

type Failure = Box<dyn std::error::Error + Send + Sync>;

const IS_SMALL: &str = "SELECT NOT EXISTS (SELECT FROM incidents OFFSET $1)";

/// Makes them on a small table, where writers wait for milliseconds.
pub(super) async fn make_where_it_takes_no_time(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    if missing(session).await?.is_empty() {
        return Ok(());
    }
    sqlx::query(LOCK).execute(&mut *session).await?;
    if sqlx::query_scalar(IS_SMALL).bind(FEW_ROWS).fetch_one(&mut *session).await? {
        for (name, columns, _) in missing(session).await?.into_iter().filter(|(.., broken)| !broken) {
            let create = format!("CREATE INDEX IF NOT EXISTS {name} ON incidents {columns}");
            sqlx::query(AssertSqlSafe(create)).execute(&mut *session).await?;
        }
        drop_superseded(&mut *session, "DROP INDEX IF EXISTS").await?;
    }
    sqlx::query(UNLOCK).execute(session).await.map(drop)
}

/// Makes what is still missing while everybody reads and writes.
pub(super) async fn make_beside_the_load(options: PgConnectOptions) {
    while let Err(error) = make_all(&options, || sleep(PAUSE)).await {
        let minutes = PAUSE_AFTER_A_FAILURE.as_secs() / 60;
        tracing::warn!(%error, "an index could not be made; lists may be slow; tried again in {minutes} minutes");
        sleep(PAUSE_AFTER_A_FAILURE).await;
    }
}

/// Makes them, or waits until another server has. That may end before they are there, so after each pause it is tried again;
/// to wait for its lock instead would be a transaction that its index waits for.
pub(super) async fn make_all<P: Future<Output = ()>>(
    options: &PgConnectOptions,
    mut pause: impl FnMut() -> P,
) -> Result<(), Failure> {
    let mut is_told = false;
    while !make_unless_another_does(options).await? {
        if !mem::replace(&mut is_told, true) {
            tracing::info!("another server makes indexes beside the load; lists may be slow");
        }
        pause().await;
    }
    Ok(())
}

/// Returns whether all are there and what they took the place of is gone.
async fn make_unless_another_does(options: &PgConnectOptions) -> Result<bool, Failure> {
    let mut session = connect::connect(options).await?.connection;
    let is_ours: bool = sqlx::query_scalar(TRY_LOCK).fetch_one(&mut session).await?;
    if is_ours {
        make_missing(&mut session).await?;
    }
    let is_done =
        is_ours || missing(&mut session).await?.is_empty() && superseded(&mut session).await?.is_empty();
    session.close().await?;
    Ok(is_done)
}

async fn make_missing(session: &mut PgConnection) -> Result<(), sqlx::Error> {
    let is_partitioned: bool = sqlx::query_scalar(IS_PARTITIONED).fetch_one(&mut *session).await?;
    for (name, columns, broken) in missing(session).await? {
        tracing::info!(index = name, "an index is being made beside the load; lists may be slow");
        if is_partitioned {
            partitioned_index::make(session, name, columns).await?;
        } else {
            make(session, name, columns, broken).await?;
        }
        tracing::info!(index = name, "the index is there");
    }
    // A partitioned table has no other way, and it takes no time.
    let drop = if is_partitioned { "DROP INDEX IF EXISTS" } else { "DROP INDEX CONCURRENTLY IF EXISTS" };
    drop_superseded(session, drop).await
}

async fn make(
    session: &mut PgConnection,
    name: &str,
    columns: &str,
    broken: bool,
) -> Result<(), sqlx::Error> {
    if broken {
        let drop = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
        sqlx::query(AssertSqlSafe(drop)).execute(&mut *session).await?;
    }
    let create = format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON incidents {columns}");
    sqlx::query(AssertSqlSafe(create)).execute(session).await.map(drop)
}

async fn drop_superseded(session: &mut PgConnection, drop: &str) -> Result<(), sqlx::Error> {
    for name in superseded(session).await? {
        sqlx::query(AssertSqlSafe(format!("{drop} {name}"))).execute(&mut *session).await?;
    }
    Ok(())
}

/// Those that are still there.
async fn superseded(session: &mut PgConnection) -> Result<Vec<&'static str>, sqlx::Error> {
    let mut found = Vec::new();
    for name in SUPERSEDED {
        let state: Option<bool> = sqlx::query_scalar(STATE).bind(name).fetch_optional(&mut *session).await?;
        found.extend(state.map(|_| name));
    }
    Ok(found)
}

/// Those that are not there or not whole; with true for the latter.
async fn missing(session: &mut PgConnection) -> Result<Vec<(&'static str, &'static str, bool)>, sqlx::Error> {
    let mut missing = Vec::new();
    for (name, columns) in INDEXES {
        match sqlx::query_scalar(STATE).bind(name).fetch_optional(&mut *session).await? {
            Some(true) => {}
            state => missing.push((name, columns, state.is_some())),
        }
    }
    Ok(missing)
}

#[cfg(test)]
mod tests {
    use sqlx::ConnectOptions;
    use tokio::{task::yield_now, time::timeout};

    use super::*;
    use crate::store::postgres::scratch;

    #[tokio::test]
    async fn on_a_large_table_they_are_made_beside_the_load_and_a_broken_one_anew() {
        let options = scratch::filled("indexes").await;
        let mut session = options.connect().await.unwrap();

        make_where_it_takes_no_time(&mut session).await.unwrap();
        assert_eq!(
            missing(&mut session).await.unwrap().len(),
            INDEXES.len(),
            "nobody waits for a large table"
        );
        // What a server leaves that is killed while it makes one.
        let broken = "CREATE INDEX incidents_open ON incidents (id) WHERE cancelled_at_ms IS NULL;
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'incidents_open'::regclass";
        sqlx::raw_sql(broken).execute(&mut session).await.unwrap();
        let old = "CREATE INDEX incidents_cancelled ON incidents (id) WHERE cancelled_at_ms IS NOT NULL";
        sqlx::query(old).execute(&mut session).await.unwrap();
        let (one, other) = tokio::join!(make_all(&options, yield_now), make_all(&options, yield_now));
        one.and(other).unwrap();

        assert_eq!(missing(&mut session).await.unwrap(), []);
        assert_eq!(superseded(&mut session).await.unwrap(), [""; 0]);
        session.close().await.unwrap();
    }

    /// Its session goes on with the index for a while, and holds the lock.
    #[tokio::test]
    async fn what_another_server_leaves_that_is_killed_while_it_makes_them_is_made() {
        let options = scratch::filled("left_indexes").await;
        let mut session = options.connect().await.unwrap();
        let mut killed = options.connect().await.unwrap();
        let is_its: bool = sqlx::query_scalar(TRY_LOCK).fetch_one(&mut killed).await.unwrap();
        let (mut killed, mut pauses) = (Some(killed), 0);
        let end = || {
            pauses += 1;
            drop(killed.take_if(|_| pauses == 2));
            yield_now()
        };

        make_all(&options, end).await.unwrap();

        assert!(is_its);
        assert_eq!(missing(&mut session).await.unwrap(), []);
        assert_eq!(superseded(&mut session).await.unwrap(), [""; 0]);
        assert!(pauses >= 2, "it asked again");
        session.close().await.unwrap();
    }

    #[tokio::test]
    async fn the_database_ends_what_a_killed_server_had_begun() {
        let options = scratch::empty("killed_server").await;
        let mut session = options.connect().await.unwrap();
        let mut killed = connect::connect(&options).await.unwrap().connection;
        sqlx::query(TRY_LOCK).execute(&mut killed).await.unwrap();
        let index = sqlx::query("SELECT pg_sleep(3600)").execute(&mut killed);
        timeout(Duration::from_millis(200), index).await.unwrap_err();

        drop(killed);

        let free = "SELECT pg_advisory_lock(1768842853, 2)";
        timeout(Duration::from_secs(20), sqlx::query(free).execute(&mut session)).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn on_a_partitioned_table_each_partition_has_its_part_and_a_broken_one_anew() {
        let options = scratch::partitioned("parts", "2024-11-23T00:00:25Z").await;
        let mut session = options.connect().await.unwrap();
        make_where_it_takes_no_time(&mut session).await.unwrap();
        assert_eq!(missing(&mut session).await.unwrap().len(), INDEXES.len());
        let broken = "CREATE INDEX incidents_past_open ON incidents_past (id) WHERE cancelled_at_ms IS NULL;
            UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'incidents_past_open'::regclass;
            CREATE INDEX incidents_cancelled_kept ON ONLY incidents (id)
            WHERE cancelled_at_ms IS NOT NULL AND erased_at_ms IS NULL";
        sqlx::raw_sql(broken).execute(&mut session).await.unwrap();

        make_all(&options, yield_now).await.unwrap();

        assert_eq!(missing(&mut session).await.unwrap(), [], "all are whole");
        let parts = "SELECT indexrelid::regclass::text
            FROM pg_index
            WHERE indrelid = 'incidents_past'::regclass AND indisvalid
            ORDER BY 1";
        let parts: Vec<String> = sqlx::query_scalar(parts).fetch_all(&mut session).await.unwrap();
        let names = INDEXES.map(|(name, _)| name.replace("incidents", "incidents_past"));
        let mut expected = [names.as_slice(), &["incidents_past_pkey".to_owned()]].concat();
        expected.sort_unstable();
        assert_eq!(parts, expected);
        session.close().await.unwrap();
    }
}
