//! On PostgreSQL: an answer is given when its commit is flushed, here and at the standby.

use incident_server::store::PgStore;
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};

use crate::{Failure, cluster::Cluster, requests::report, serving::Serving};

/// Nothing flushes the log but who commits: otherwise it would be flushed before anybody could look. What the server
/// itself does not ask for, it does not get.
const SETTINGS: &str = "
    synchronous_commit = off
    wal_writer_delay = 10s
    wal_writer_flush_after = 1GB
    bgwriter_lru_maxpages = 0
    autovacuum = off
    checkpoint_timeout = 1h
    max_wal_size = 8GB
";
/// 2026-11-22T10:15:30.120Z.
const BEGINNING_MS: i64 = 1_795_342_530_120;
/// How far the log is flushed, here and at the standby.
const FLUSHED: &str = "
    SELECT
        (pg_current_wal_flush_lsn() - '0/0')::bigint AS here,
        (SELECT (min(flush_lsn) - '0/0')::bigint FROM pg_stat_replication WHERE sync_state = 'sync') AS there";
/// Where the commit of each incident ends.
const COMMITTED: &str = "
    SELECT incidents.id::text AS id, (commits.end_lsn - '0/0')::bigint AS at
    FROM pg_get_wal_records_info($1::pg_lsn, pg_current_wal_flush_lsn()) AS commits
    JOIN incidents ON incidents.xmin = commits.xid
    WHERE commits.resource_manager = 'Transaction' AND commits.record_type LIKE 'COMMIT%'";

/// How far the log was flushed when an answer was there.
struct Flushed {
    id: String,
    here: i64,
    there: i64,
}

/// Lets so many reports be answered, one after the other, and compares.
///
/// # Errors
/// One was answered before it was flushed.
pub(crate) fn answers(wanted: u64) -> Result<u64, Failure> {
    let primary = Cluster::start();
    primary.configure(SETTINGS);
    primary.reload();
    let _standby = primary.synchronous_standby();
    let url = primary.url();
    let mut serving = Serving::on(PgStore::open_url(&url), BEGINNING_MS)?;
    let (mut session, begin) = serving.wait_for(async {
        let mut session = PgConnection::connect(&url).await?;
        sqlx::query("CREATE EXTENSION pg_walinspect").execute(&mut session).await?;
        let begin: String =
            sqlx::query_scalar("SELECT pg_current_wal_flush_lsn()::text").fetch_one(&mut session).await?;
        Ok::<_, sqlx::Error>((session, begin))
    })?;
    let mut answered = Vec::new();
    for number in 0..usize::try_from(wanted)? {
        let report = report(number, serving.now_ms(), number % 3 == 0);
        serving.ask_all(vec![report.request(serving.now_ms())])?;
        let flushed = serving.wait_for(sqlx::query(FLUSHED).fetch_one(&mut session))?;
        let (here, there) = (flushed.try_get("here")?, flushed.try_get("there")?);
        answered.push(Flushed { id: report.id().to_string(), here, there });
        serving.pass(1);
    }
    // What nobody flushed until now cannot be read.
    serving.wait_for(sqlx::query("CHECKPOINT").execute(&mut session))?;
    let commits = serving.wait_for(sqlx::query(COMMITTED).bind(begin).fetch_all(&mut session))?;
    judge(&answered, &commits)
}

fn judge(answered: &[Flushed], commits: &[PgRow]) -> Result<u64, Failure> {
    let commits: std::collections::HashMap<String, i64> = commits
        .iter()
        .map(|row| Ok((row.try_get("id")?, row.try_get("at")?)))
        .collect::<Result<_, sqlx::Error>>()?;
    for Flushed { id, here, there } in answered {
        let at = commits.get(id).ok_or_else(|| format!("the log has no commit of {id}"))?;
        if at > here.min(there) {
            let place =
                format!("its commit ends at {at}; flushed were {here} here and {there} at the standby");
            return Err(format!("{id} was answered before it was flushed: {place}").into());
        }
    }
    Ok(answered.len() as u64)
}
