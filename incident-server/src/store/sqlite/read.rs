//! What the reading routes ask; readers never wait for the writer.

use std::sync::LazyLock;

use incident_core::{Event, IncidentId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::unlisted::Unlisted;
use crate::store::{
    ChangePage, Horizon, IncidentPage, ListQuery, Position, Series, StoreError, StoredIncident, columns,
    record::{StoredRow, change_page, events, incident_page, stored_incident},
};

/// The columns of a record, by name: a newer server may have added some.
pub(super) static SELECT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT incidents.id AS id, {}", columns::read()));

static INCIDENT: LazyLock<String> = LazyLock::new(|| format!("{} FROM incidents WHERE id = ?", *SELECT));

static CHANGES: LazyLock<String> = LazyLock::new(|| {
    format!(
        "
    SELECT
        history.position,
        history.kind,
        history.at_ms,
        history.cancellation_reason AS event_reason,
        incidents.id,
        {columns}
    FROM history
    JOIN incidents ON incidents.id = history.incident_id
    WHERE history.position > ?
    ORDER BY history.position
    LIMIT ?",
        columns = columns::read(),
    )
});

const HISTORY: &str = "
    SELECT position, kind, at_ms, cancellation_reason AS event_reason
    FROM history
    WHERE incident_id = ?
    ORDER BY position";

pub(super) async fn incident(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Option<StoredIncident>, StoreError> {
    let row = sqlx::query(INCIDENT.as_str()).bind(&id.as_bytes()[..]).fetch_optional(connection).await?;
    Ok(row.as_ref().map(stored_incident).transpose()?)
}

/// What waits to be listed is asked first: what is listed meanwhile is found in its list.
pub(super) async fn incidents(
    connection: &mut SqliteConnection,
    query: &ListQuery,
    unlisted: &Unlisted,
) -> Result<IncidentPage, StoreError> {
    let wanted = usize::try_from(query.rows()).unwrap_or(usize::MAX);
    let mut most = wanted;
    loop {
        let candidates = unlisted.candidates(query, most);
        let rows = list("", query, &candidates.ids).build().fetch_all(&mut *connection).await?;
        // A candidate that was cancelled meanwhile may have kept an older one out.
        let last = rows.get(wanted - 1).map(|row| row.id("id")).transpose()?;
        if candidates.are_all || last.is_some_and(|last| candidates.ids.last() <= Some(&last)) {
            return Ok(incident_page(&rows, query));
        }
        most = most.saturating_mul(2);
    }
}

/// The statement for a list, behind a word such as `EXPLAIN`. Some lists are ranges of an index, read backwards. For the
/// others the ids come first, from where they are listed and from what waits to be, and their rows have the last word.
fn list(word: &str, query: &ListQuery, candidates: &[IncidentId]) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::<Sqlite>::new(word);
    sql.push(SELECT.as_str());
    let mut ids = |listed: &[Listed]| ids(&mut sql, query, candidates, listed);
    match (&query.reporter, &query.location_id, query.status) {
        (Some(_), _, status) => ids(&[("list_by_reporter", state(status))]),
        (None, Some(_), None) => ids(&[OPEN_AT_LOCATION, CANCELLED_AT_LOCATION]),
        (None, Some(_), Some(Status::Open)) => ids(&[OPEN_AT_LOCATION]),
        (None, Some(_), Some(Status::Cancelled)) => range(&mut sql, query, CANCELLED_AT_LOCATION),
        (None, None, None) => ids(&[OPEN, CANCELLED]),
        (None, None, Some(Status::Open)) => range(&mut sql, query, OPEN),
        (None, None, Some(Status::Cancelled)) => range(&mut sql, query, CANCELLED),
    }
    newest(&mut sql, query);
    sql
}

/// Where ids are listed, and with which condition. No erased one is met in any of them.
///
/// Without statistics, which a file has only where somebody ran `ANALYZE`, SQLite takes the primary key for good enough
/// and walks the whole table where few rows fit; so it is told the index.
type Listed = (&'static str, &'static str);
const OPEN: Listed = ("incidents INDEXED BY incidents_open", state(Some(Status::Open)));
const CANCELLED: Listed =
    ("incidents INDEXED BY incidents_cancelled", " AND cancelled_at_ms IS NOT NULL AND erased_at_ms IS NULL");
const OPEN_AT_LOCATION: Listed = ("list_of_open_by_location", "");
const CANCELLED_AT_LOCATION: Listed =
    ("incidents INDEXED BY incidents_cancelled_by_location", state(Some(Status::Cancelled)));

fn ids(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, candidates: &[IncidentId], listed: &[Listed]) {
    sql.push(" FROM incidents WHERE id IN (");
    for listed in listed {
        sql.push("SELECT id FROM (SELECT id");
        range(sql, query, *listed);
        newest(sql, query).push(") UNION ALL ");
    }
    let candidates = serde_json::to_string(candidates).expect("ids are texts");
    sql.push("SELECT unhex(value, '-') FROM json_each(").push_bind(candidates).push("))");
    of_whom_and_where(sql, query);
    sql.push(state(query.status));
}

fn range(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, (table, condition): Listed) {
    let (first, behind) = query.id_range();
    sql.push(" FROM ").push(table);
    sql.push(" WHERE id >= ").push_bind(first.as_bytes().to_vec());
    sql.push(" AND id < ").push_bind(behind.as_bytes().to_vec());
    of_whom_and_where(sql, query);
    sql.push(condition);
}

fn of_whom_and_where(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery) {
    if let Some(reporter) = &query.reporter {
        sql.push(" AND reporter = ").push_bind(reporter.as_str().to_owned());
    }
    if let Some(location_id) = &query.location_id {
        sql.push(" AND location_id = ").push_bind(location_id.as_str().to_owned());
    }
}

const fn state(status: Option<Status>) -> &'static str {
    match status {
        Some(Status::Open) => " AND cancelled_at_ms IS NULL",
        Some(Status::Cancelled) => " AND cancelled_at_ms IS NOT NULL",
        None => "",
    }
}

fn newest<'a>(sql: &'a mut QueryBuilder<Sqlite>, query: &ListQuery) -> &'a mut QueryBuilder<Sqlite> {
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(query.rows())
}

pub(super) async fn history(
    connection: &mut SqliteConnection,
    id: IncidentId,
) -> Result<Vec<Event>, StoreError> {
    let rows = sqlx::query(HISTORY).bind(&id.as_bytes()[..]).fetch_all(connection).await?;
    Ok(events(&rows))
}

/// There is one writer, so positions are given out in commit order.
pub(super) async fn changes(
    connection: &mut SqliteConnection,
    after: Position,
    limit: i64,
) -> Result<ChangePage, StoreError> {
    let rows = sqlx::query(CHANGES.as_str()).bind(after.0).bind(limit).fetch_all(connection).await?;
    Ok(change_page(&rows, after))
}

pub(super) async fn horizon(connection: &mut SqliteConnection) -> Result<Horizon, StoreError> {
    let (series, newest) =
        sqlx::query_as("SELECT series, (SELECT coalesce(max(position), 0) FROM history) FROM installation")
            .fetch_one(connection)
            .await?;
    Ok(Horizon { series: Series(series), complete_to: Position(newest), newest: Position(newest) })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    };

    use sqlx::{AssertSqlSafe, Connection, Row, sqlite::SqliteRow};

    use super::*;
    use crate::store::migrations;

    /// One in a hundred is open, and every location has open ones only in the oldest part of the table.
    const FILL: &str = "
        WITH RECURSIVE numbers (n) AS (
            SELECT 0
            UNION ALL
            SELECT n + 1 FROM numbers WHERE n < 20000
        )
        INSERT INTO incidents
        SELECT
            unhex(printf('%012x', 1732320000000 + n) || '80008000' || printf('%012x', n)),
            'reporter-' || (n % 50), 'location-' || (n % 20), NULL, 0, 0, 0,
            1732320000000 + n, 1732320000000 + n, 0,
            CASE WHEN n > 200 THEN 1732320000000 + n END,
            CASE WHEN n > 200 THEN 'x' END, NULL
        FROM numbers";

    async fn filled() -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        migrations::SQLITE.run(&mut connection).await.unwrap();
        sqlx::query(FILL).execute(&mut connection).await.unwrap();
        connection
    }

    /// Its steps, none of which reads a whole table or sorts.
    fn steps(plan: &[SqliteRow]) -> Vec<String> {
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        let is_small = |step: &str| step.contains("json_each") || step.contains("(subquery");
        let reads_all = |step: &String| step.contains("SCAN") && !is_small(step);
        assert!(!steps.iter().any(|step| reads_all(step) || step.contains("TEMP B-TREE")), "{steps:?}");
        steps
    }

    #[tokio::test]
    async fn every_list_is_a_range_with_statistics_and_without() {
        let mut connection = filled().await;
        for statistics in ["SELECT 1", "ANALYZE"] {
            sqlx::query(statistics).execute(&mut connection).await.unwrap();
            for query in ListQuery::all_combinations() {
                let mut explain = list("EXPLAIN QUERY PLAN ", &query, &[]);
                let steps = steps(&explain.build().fetch_all(&mut connection).await.unwrap());
                let equal: &[&str] = match (&query.reporter, &query.location_id, query.status) {
                    (Some(_), ..) => &["list_by_reporter USING PRIMARY KEY (reporter=? AND "],
                    (None, Some(_), Some(Status::Open)) => {
                        &["list_of_open_by_location USING PRIMARY KEY (location_id=? AND "]
                    }
                    (None, Some(_), Some(Status::Cancelled)) => {
                        &["USING INDEX incidents_cancelled_by_location ("]
                    }
                    (None, Some(_), None) => {
                        &["list_of_open_by_location", "incidents_cancelled_by_location ("]
                    }
                    (None, None, None) => &["INDEX incidents_open (", "INDEX incidents_cancelled ("],
                    (None, None, Some(Status::Open)) => &["INDEX incidents_open ("],
                    (None, None, Some(Status::Cancelled)) => &["INDEX incidents_cancelled ("],
                };
                let ranges: Vec<_> = steps.iter().filter(|step| step.contains("id>? AND id<?")).collect();
                assert_eq!(ranges.len(), equal.len(), "{query:?}: {steps:?}");
                for part in equal {
                    assert!(ranges.iter().any(|range| range.contains(part)), "{query:?}: {steps:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn no_list_walks_through_what_was_erased() {
        const STEPS: i32 = 1000;
        let mut connection = filled().await;
        sqlx::query(ListQuery::ERASE_MOST).execute(&mut connection).await.unwrap();
        for query in ListQuery::all_combinations() {
            let looks = Arc::new(AtomicU32::new(0));
            let counted = Arc::clone(&looks);
            let count = move || counted.fetch_add(1, Ordering::Relaxed) < u32::MAX;
            connection.lock_handle().await.unwrap().set_progress_handler(STEPS, count);

            list("", &query, &[]).build().fetch_all(&mut connection).await.unwrap();

            let looks = looks.load(Ordering::Relaxed);
            assert!(looks < 20, "{looks} thousand steps for a page of 51 at most: {query:?}");
        }
    }

    #[tokio::test]
    async fn changes_and_a_history_are_ranges_too() {
        let mut connection = filled().await;
        for (statement, range) in [(CHANGES.as_str(), "(rowid>?)"), (HISTORY, "(incident_id=?)")] {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            let steps = steps(&sqlx::query(explain).fetch_all(&mut connection).await.unwrap());
            assert!(steps[0].contains(range), "{steps:?}");
        }
    }
}
