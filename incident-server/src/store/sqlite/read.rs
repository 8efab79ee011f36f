//! What the reading routes ask; readers never wait for the writer.

use std::sync::LazyLock;

use incident_core::{Event, IncidentId, Status};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::store::{
    ChangePage, Horizon, IncidentPage, ListQuery, Position, Series, StoreError, StoredIncident, columns,
    record::{change_page, events, incident_page, stored_incident},
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

pub(super) async fn incidents(
    connection: &mut SqliteConnection,
    query: &ListQuery,
) -> Result<IncidentPage, StoreError> {
    Ok(incident_page(&list("", query).build().fetch_all(connection).await?, query))
}

/// The statement for a list, behind a word such as `EXPLAIN`: a range of one index, read backwards, or of two that are
/// merged.
fn list(word: &str, query: &ListQuery) -> QueryBuilder<Sqlite> {
    let (mut sql, select) = (QueryBuilder::<Sqlite>::new(word), SELECT.as_str());
    match (&query.reporter, &query.location_id, query.status) {
        (Some(_), _, status) => {
            // SQLite looks a row up before it compares what the index has of it; so the ids come first, from the index
            // alone.
            sql.push(select).push(" FROM incidents WHERE id IN (SELECT id");
            range(&mut sql, query, status);
            newest(&mut sql, query).push(") ORDER BY id DESC");
        }
        (None, Some(_), None) => {
            sql.push(select);
            range(&mut sql, query, Some(Status::Open));
            sql.push(" UNION ALL ").push(select);
            range(&mut sql, query, Some(Status::Cancelled));
            newest(&mut sql, query);
        }
        (None, _, status) => {
            sql.push(select);
            range(&mut sql, query, status);
            newest(&mut sql, query);
        }
    }
    sql
}

fn range(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, status: Option<Status>) {
    let (first, behind) = query.id_range();
    sql.push(" FROM incidents").push(index(query, status));
    sql.push(" WHERE id >= ").push_bind(first.as_bytes().to_vec());
    sql.push(" AND id < ").push_bind(behind.as_bytes().to_vec());
    if let Some(reporter) = &query.reporter {
        sql.push(" AND reporter = ").push_bind(reporter.as_str().to_owned());
    }
    if let Some(location_id) = &query.location_id {
        sql.push(" AND location_id = ").push_bind(location_id.as_str().to_owned());
    }
    if query.reporter.is_none() && query.location_id.is_none() && status != Some(Status::Open) {
        // No other index leads to an erased one.
        sql.push(" AND erased_at_ms IS NULL");
    }
    match status {
        Some(Status::Open) => drop(sql.push(" AND cancelled_at_ms IS NULL")),
        Some(Status::Cancelled) => drop(sql.push(" AND cancelled_at_ms IS NOT NULL")),
        None => {}
    }
}

fn newest<'a>(sql: &'a mut QueryBuilder<Sqlite>, query: &ListQuery) -> &'a mut QueryBuilder<Sqlite> {
    sql.push(" ORDER BY id DESC LIMIT ").push_bind(query.rows())
}

/// Without statistics, which a file has only where somebody ran `ANALYZE`, SQLite takes the primary key for good enough
/// and walks the whole table where few rows fit; so it is told. Of one reporter's incidents the other filters pass over
/// what does not fit, in the index.
const fn index(query: &ListQuery, status: Option<Status>) -> &'static str {
    match (&query.reporter, &query.location_id, status) {
        (Some(_), _, _) => " INDEXED BY incidents_of_reporter",
        (None, None, None) => "", // the primary key
        (None, None, Some(Status::Open)) => " INDEXED BY incidents_open",
        (None, None, Some(Status::Cancelled)) => " INDEXED BY incidents_cancelled",
        (None, Some(_), Some(Status::Cancelled)) => " INDEXED BY incidents_cancelled_by_location",
        (None, Some(_), _) => " INDEXED BY incidents_open_by_location",
    }
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
        assert!(!steps.iter().any(|step| step.contains("SCAN") || step.contains("TEMP B-TREE")), "{steps:?}");
        steps
    }

    #[tokio::test]
    async fn every_list_is_a_range_of_an_index_with_statistics_and_without() {
        let mut connection = filled().await;
        for statistics in ["SELECT 1", "ANALYZE"] {
            sqlx::query(statistics).execute(&mut connection).await.unwrap();
            for query in ListQuery::all_combinations() {
                let mut explain = list("EXPLAIN QUERY PLAN ", &query);
                let steps = steps(&explain.build().fetch_all(&mut connection).await.unwrap());
                let (means, equal) = match (&query.reporter, &query.location_id) {
                    (Some(_), _) => ("USING COVERING INDEX", "(reporter=? AND "),
                    (None, Some(_)) => ("USING INDEX", "(location_id=? AND "),
                    (None, None) => ("USING ", "("),
                };
                let ranges: Vec<_> = steps.iter().filter(|step| step.contains("id>? AND id<?")).collect();
                assert!(
                    ranges.iter().all(|range| range.contains(means) && range.contains(equal)),
                    "{steps:?}"
                );
                let merged =
                    matches!(query, ListQuery { reporter: None, location_id: Some(_), status: None, .. });
                assert_eq!(ranges.len(), if merged { 2 } else { 1 }, "{query:?}: {steps:?}");
                assert_eq!(steps[0] == "MERGE (UNION ALL)", merged, "{query:?}: {steps:?}");
                assert!(query.reporter.is_some() || merged || steps.len() == 1, "{query:?}: {steps:?}");
            }
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
