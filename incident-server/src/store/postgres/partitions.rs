//! Partitions by time, made ahead of time where the tables are partitioned: see `deploy/postgres/partitioned.sql`.
//!
//! Both tables have the same ranges of ids. A new range is as long as the last one. What lies in none is in the DEFAULT
//! partitions, so nothing is ever refused for want of a partition: one that cannot be made now is made later. Writers wait
//! while one is made, for milliseconds: PostgreSQL looks through the DEFAULT partition, which is nearly empty, and what is
//! in it of the new range moves over.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use sqlx::{AssertSqlSafe, Connection, PgConnection, postgres::PgConnectOptions};
use tokio::time::{sleep, timeout};

use super::{connect, range::Range};
use crate::{
    Clock,
    store::{Partitions, from_row::from_row},
};

const LOOK_EVERY: Duration = Duration::from_secs(3600);
/// After a failure: a lock that somebody holds is given back some time.
const AGAIN_AFTER: Duration = Duration::from_secs(60);
/// A session whose server is gone without a word would be waited for until then.
const MAKE_DEADLINE: Duration = Duration::from_secs(60);
/// More rows than these are not moved while writers wait.
const MOST_MOVED: i64 = 50_000;
/// One of several servers makes them; see `indexes.rs` for the class.
const TRY_LOCK: &str = "SELECT pg_try_advisory_lock(1768842853, 3)";
const DEFAULTS: &str = "
    SELECT
        incidents.partdefid::regclass::text AS incidents,
        history.partdefid::regclass::text AS history,
        (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = incidents.partrelid) AS are_ours
    FROM pg_partitioned_table AS incidents
    JOIN pg_partitioned_table AS history ON history.partrelid = 'history'::regclass
    WHERE incidents.partrelid = 'incidents'::regclass";
const BOUNDS: &str = "
    SELECT pg_get_expr(pg_class.relpartbound, pg_class.oid)
    FROM pg_inherits
    JOIN pg_class ON pg_class.oid = pg_inherits.inhrelid
    WHERE pg_inherits.inhparent = 'incidents'::regclass";

const NO_RANGE: &str =
    "no partition has a beginning and an end that the next one could be made after; make one by hand";
const NOT_OURS: &str = "the user of the URL is not the owner of the tables, who alone may make one; start a server once with \
    the URL of their owner";

/// How far this server knows the partitions to go.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    end_ms: AtomicI64,
    failures: AtomicU64,
}

impl Ahead {
    pub(super) fn state(&self) -> Partitions {
        Partitions {
            end_ms: self.end_ms.load(Ordering::Relaxed),
            failures: self.failures.load(Ordering::Relaxed),
        }
    }
}

from_row! {
    /// Where rows are that no range holds.
    struct Defaults {
        incidents: String,
        history: String,
        are_ours: bool,
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Makes partitions before they are needed, for ever.
pub(super) async fn make_for_ever(options: PgConnectOptions, ahead: Arc<Ahead>) {
    loop {
        let made = timeout(MAKE_DEADLINE, make_ahead(&options, now())).await;
        let pause = match made.unwrap_or_else(|late| Err(late.into())) {
            Ok(end) => {
                ahead.end_ms.store(end.map_or(0, |end| end.timestamp_millis()), Ordering::Relaxed);
                LOOK_EVERY
            }
            Err(error) => {
                ahead.failures.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "a partition could not be made; reports go to the DEFAULT partition, and it is tried again");
                AGAIN_AFTER
            }
        };
        sleep(pause).await;
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(Clock::system().now().unix_ms()).unwrap_or_default()
}

/// Makes ranges until one is in the future; returns where the last one ends, where the tables are partitioned.
async fn make_ahead(
    options: &PgConnectOptions,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Failure> {
    let mut session = connect::connect(options).await?.connection;
    let Some(defaults) = sqlx::query_as::<_, Defaults>(DEFAULTS).fetch_optional(&mut session).await? else {
        return Ok(None);
    };
    let is_ours: bool = sqlx::query_scalar(TRY_LOCK).fetch_one(&mut session).await?;
    let bounds: Vec<String> = sqlx::query_scalar(BOUNDS).fetch_all(&mut session).await?;
    let mut last = bounds.iter().filter_map(|bound| Range::parse(bound)).max().ok_or(NO_RANGE)?;
    while is_ours && last.begin <= now {
        last = last.next().ok_or(NO_RANGE)?;
        defaults.are_ours.then_some(()).ok_or(NOT_OURS)?;
        make(&mut session, &defaults, last).await?;
    }
    session.close().await?;
    Ok(Some(last.end))
}

/// Makes the partitions of a range, unless so many rows of it are in the DEFAULT partitions that writers would wait for long.
async fn make(session: &mut PgConnection, defaults: &Defaults, range: Range) -> Result<(), Failure> {
    let Defaults { incidents, history, .. } = defaults;
    let (first, end) = range.ids().ok_or(NO_RANGE)?;
    let waiting = format!(
        "SELECT count(*)
        FROM (SELECT FROM {history} WHERE incident_id >= '{first}' AND incident_id < '{end}' LIMIT {MOST_MOVED}) AS found"
    );
    let waiting: i64 = sqlx::query_scalar(AssertSqlSafe(waiting)).fetch_one(&mut *session).await?;
    if waiting >= MOST_MOVED {
        tracing::warn!(%range, "no partition is made: too many reports of its time are in the DEFAULT partition, where they stay");
        return Ok(());
    }
    // A standby that is away would be waited for with the locks held; where it takes over without, it makes its own.
    let statements = format!(
        "BEGIN;
        SET LOCAL lock_timeout = '300ms';
        SET LOCAL synchronous_commit = 'local';
        LOCK TABLE {incidents}, {history} IN ACCESS EXCLUSIVE MODE;
        CREATE TABLE incidents_{range} (LIKE incidents INCLUDING ALL);
        CREATE TABLE history_{range} (LIKE history INCLUDING ALL, PRIMARY KEY (position));
        WITH moved AS (DELETE FROM {incidents} WHERE id >= '{first}' AND id < '{end}' RETURNING *)
        INSERT INTO incidents_{range} SELECT * FROM moved;
        WITH moved AS (DELETE FROM {history} WHERE incident_id >= '{first}' AND incident_id < '{end}' RETURNING *)
        INSERT INTO history_{range} SELECT * FROM moved;
        ALTER TABLE incidents ATTACH PARTITION incidents_{range} FOR VALUES FROM ('{first}') TO ('{end}');
        ALTER TABLE history ATTACH PARTITION history_{range} FOR VALUES FROM ('{first}') TO ('{end}');
        COMMIT"
    );
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(session).await?;
    tracing::info!(%range, "a partition was made");
    Ok(())
}

#[cfg(test)]
mod tests {
    use incident_core::IncidentId;
    use sqlx::ConnectOptions;

    use super::*;
    use crate::store::postgres::scratch;

    fn day(text: &str) -> DateTime<Utc> {
        format!("{text}T00:00:00Z").parse().unwrap()
    }

    /// The first id of a day.
    fn first_of(text: &str) -> IncidentId {
        IncidentId::first_at(format!("{text}T00:00:00Z").parse().unwrap())
    }

    /// Half of the rows of [`scratch::filled`] are before it.
    const BOUND: &str = "2024-11-23T00:00:25Z";

    /// An incident of this day and its history.
    async fn store(session: &mut PgConnection, moment: &str) {
        let id = first_of(moment);
        let statements = format!(
            "INSERT INTO incidents (
                id, version, is_anonymous, clock_suspect, longitude_e7, latitude_e7, created_at_ms, received_at_ms,
                location_id
            )
            VALUES ('{id}', 1, false, true, 0, 0, 0, 0, 'gate');
            INSERT INTO history (incident_id, at_ms, kind) VALUES ('{id}', 0, 'created')"
        );
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(session).await.unwrap();
    }

    /// How many rows a partition has of both tables, which are as many.
    async fn rows(session: &mut PgConnection, partition: &str) -> i64 {
        let counted = format!(
            "SELECT CASE incidents WHEN history THEN incidents END
            FROM (SELECT count(*) FROM incidents_{partition}) AS one (incidents)
            CROSS JOIN (SELECT count(*) FROM history_{partition}) AS other (history)"
        );
        sqlx::query_scalar(AssertSqlSafe(counted)).fetch_one(session).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_missing_is_made_and_takes_its_rows_from_the_default_partition() {
        let options = scratch::partitioned("ahead", BOUND).await;
        let mut session = options.connect().await.unwrap();
        for moment in ["2025-06-01", "2025-12-31", "2099-01-01"] {
            store(&mut session, moment).await;
        }
        assert_eq!(rows(&mut session, "default").await, 3);

        let now = day("2025-06-02");
        let (end, again) =
            (make_ahead(&options, now).await.unwrap(), make_ahead(&options, now).await.unwrap());

        assert_eq!(end, Some("2026-05-23T00:00:25Z".parse().unwrap()), "one range is in the future");
        assert_eq!(again, end);
        let expected = [
            ("past", 25_000),
            ("from_2024_11_23", 25_001),
            ("from_2025_05_23", 1),
            ("from_2025_11_23", 1),
            ("default", 1),
        ];
        for (partition, count) in expected {
            assert_eq!(rows(&mut session, partition).await, count, "{partition}");
        }
    }

    #[tokio::test]
    async fn a_partition_that_cannot_be_made_is_made_later() {
        let options = scratch::partitioned("held", BOUND).await;
        let (mut session, mut other) = (options.connect().await.unwrap(), options.connect().await.unwrap());
        let mut dump = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE incidents_default IN ACCESS SHARE MODE").execute(&mut *dump).await.unwrap();
        let now = day("2024-12-01");

        let refused = make_ahead(&options, now).await.unwrap_err();
        store(&mut session, "2025-06-01").await;
        dump.commit().await.unwrap();
        make_ahead(&options, now).await.unwrap();

        assert!(refused.to_string().contains("lock timeout"), "{refused}");
        assert_eq!(rows(&mut session, "from_2025_05_23").await, 1);
    }

    #[tokio::test]
    async fn who_does_not_own_the_tables_is_told_who_may_make_one() {
        let options = scratch::partitioned("not_ours", BOUND).await;
        let mut session = options.connect().await.unwrap();
        let user = format!("user_of_{}", options.get_database().unwrap());
        let make = format!("DROP ROLE IF EXISTS {user}; CREATE ROLE {user} LOGIN");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut session).await.unwrap();
        let theirs = options.clone().username(&user);

        let (ahead, behind) =
            (make_ahead(&theirs, day("2024-11-01")).await, make_ahead(&theirs, day("2025-06-02")).await);

        assert_eq!(
            ahead.unwrap(),
            Some("2025-05-23T00:00:25Z".parse().unwrap()),
            "there is one in the future"
        );
        assert_eq!(behind.unwrap_err().to_string(), NOT_OURS);
    }

    #[tokio::test]
    async fn more_rows_than_writers_would_wait_for_stay_where_they_are() {
        let options = scratch::partitioned("late", BOUND).await;
        let mut session = options.connect().await.unwrap();
        let first = first_of("2025-06-01");
        let many = format!(
            "INSERT INTO history (incident_id, at_ms, kind)
            SELECT '{first}', 0, 'created' FROM generate_series(1, {MOST_MOVED})"
        );
        sqlx::query(AssertSqlSafe(many)).execute(&mut session).await.unwrap();

        let end = make_ahead(&options, day("2025-06-02")).await.unwrap();

        assert_eq!(end, Some("2026-05-23T00:00:25Z".parse().unwrap()), "later ones are made");
        let names = "SELECT relname::text FROM pg_class WHERE relname ~ '^(incidents|history)_from_2025_.._..$' ORDER BY 1";
        let made: Vec<String> = sqlx::query_scalar(names).fetch_all(&mut session).await.unwrap();
        assert_eq!(made, ["history_from_2025_11_23", "incidents_from_2025_11_23"]);
    }

    #[tokio::test]
    async fn tables_that_are_not_partitioned_stay_so() {
        let options = scratch::filled("whole").await;
        assert_eq!(make_ahead(&options, day("2025-06-02")).await.unwrap(), None);
    }
}
