//! What the reading routes ask.

use std::sync::LazyLock;

use incident_core::{Event, IncidentId, LocationId, Status};
use sqlx::{Postgres, SqlSafeStr, postgres::PgArguments, query::Query};

use super::{given::uuid, sessions::Sessions, statements::incident_columns};
use crate::store::{
    IncidentPage, ListQuery, StoreError, StoredIncident,
    record::{events, incident_page, stored_incident},
};

pub(super) static INCIDENT: LazyLock<String> =
    LazyLock::new(|| format!("SELECT {} FROM incidents WHERE incidents.id = $1", incident_columns()));

/// A list, as a range of one index read backwards, or of two that are merged.
///
/// Of two indexes that both have the order asked for, PostgreSQL takes the one that it believes to meet enough fitting
/// rows soon: for a location that was busy long ago it would walk the whole primary key. So the range and the order are
/// of pairs, which only the index of these pairs has. Planned anew every time: a status that is not asked for is not
/// there, and one that is has an index with nothing else in it. The range of the ids alone says it once more: where the
/// table is partitioned, PostgreSQL tells by it which partitions are asked.
fn sorted(range: &str, order: &str) -> String {
    format!(
        "
    SELECT {columns}
    FROM incidents
    WHERE {range}
        AND ($3::boolean IS NULL OR (cancelled_at_ms IS NOT NULL) = $3)
    ORDER BY {order}
    LIMIT $4",
        columns = incident_columns(),
    )
}

/// Open ones and cancelled ones are all that lists show, each in an index of their own.
fn merged(range: &str, cancelled: &str, order: &str) -> String {
    let half = |state: &str| {
        format!(
            "(
        SELECT *
        FROM incidents
        WHERE {range}
            AND {state}
        ORDER BY {order}
        LIMIT $4
    )"
        )
    };
    format!(
        "
    SELECT {columns}
    FROM ({open} UNION ALL {cancelled}) AS incidents
    ORDER BY {order}
    LIMIT $4",
        columns = incident_columns(),
        open = half("cancelled_at_ms IS NULL"),
        cancelled = half(cancelled),
    )
}

const BY_ID: &str = "incidents.id DESC";
const IN_TIME: &str = "incidents.id >= $1 AND incidents.id < $2";

/// Erased ones have `cancelled_at_ms`, too, and are in neither index.
static ALL: LazyLock<String> =
    LazyLock::new(|| merged(IN_TIME, "cancelled_at_ms IS NOT NULL AND erased_at_ms IS NULL", BY_ID));

static OF_STATUS: LazyLock<String> =
    LazyLock::new(|| sorted(&format!("{IN_TIME} AND erased_at_ms IS NULL"), BY_ID));

const BY_LOCATION: &str = "location_id DESC, incidents.id DESC";
const AT_ONE_LOCATION: &str =
    "(location_id, incidents.id) >= ($5::text, $1) AND (location_id, incidents.id) < ($5::text, $2)
        AND incidents.id >= $1 AND incidents.id < $2";

static ALL_AT_LOCATION: LazyLock<String> =
    LazyLock::new(|| merged(AT_ONE_LOCATION, "cancelled_at_ms IS NOT NULL", BY_LOCATION));

static AT_LOCATION: LazyLock<String> = LazyLock::new(|| sorted(AT_ONE_LOCATION, BY_LOCATION));

/// The index has what else is asked for, too, so what does not fit is passed over in it.
static OF_REPORTER: LazyLock<String> = LazyLock::new(|| {
    let range = "reporter IS NOT NULL
        AND (reporter, incidents.id) >= ($5::text, $1) AND (reporter, incidents.id) < ($5::text, $2)
        AND incidents.id >= $1 AND incidents.id < $2
        AND ($6::text IS NULL OR location_id = $6)";
    sorted(range, "reporter DESC, incidents.id DESC")
});

pub(super) const HISTORY: &str = "
    SELECT position, kind, at_ms, cancellation_reason AS event_reason
    FROM history
    WHERE incident_id = $1
    ORDER BY position";

pub(super) async fn incident(
    sessions: &Sessions,
    id: IncidentId,
) -> Result<Option<StoredIncident>, StoreError> {
    let found = sessions.run(|| sqlx::query(INCIDENT.as_str()).bind(uuid(id))).await?;
    Ok(found.first().map(stored_incident).transpose()?)
}

pub(super) async fn incidents(sessions: &Sessions, query: &ListQuery) -> Result<IncidentPage, StoreError> {
    Ok(incident_page(&sessions.run(|| list(statement(query), query)).await?, query))
}

pub(super) fn statement(query: &ListQuery) -> &'static str {
    match (&query.reporter, &query.location_id, query.status) {
        (Some(_), _, _) => &OF_REPORTER,
        (None, Some(_), None) => &ALL_AT_LOCATION,
        (None, Some(_), Some(_)) => &AT_LOCATION,
        (None, None, None) => &ALL,
        (None, None, Some(_)) => &OF_STATUS,
    }
}

pub(super) fn list(sql: impl SqlSafeStr, query: &ListQuery) -> Query<'_, Postgres, PgArguments> {
    let (first, end) = query.id_range();
    let status = query.status.map(|status| status == Status::Cancelled);
    let list = sqlx::query(sql).bind(uuid(first)).bind(uuid(end)).bind(status).bind(query.rows());
    let location_id = query.location_id.as_ref().map(LocationId::as_str);
    match (&query.reporter, location_id) {
        (Some(reporter), location_id) => list.bind(reporter.as_str()).bind(location_id),
        (None, Some(location_id)) => list.bind(location_id),
        (None, None) => list,
    }
}

pub(super) async fn history(sessions: &Sessions, id: IncidentId) -> Result<Vec<Event>, StoreError> {
    Ok(events(&sessions.run(|| sqlx::query(HISTORY).bind(uuid(id))).await?))
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Row};

    use super::*;
    use crate::store::postgres::{connect, feed::CHANGES, indexes, scratch};

    async fn plan(session: &mut sqlx::PgConnection, explain: &str, query: &ListQuery) -> String {
        let explain = AssertSqlSafe(format!("{explain} {}", statement(query)));
        let lines = list(explain, query).fetch_all(session).await.unwrap();
        lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect()
    }

    /// Feeds are long, and nobody says how long to those who plan.
    #[tokio::test]
    async fn changes_and_a_history_are_ranges_too() {
        let options = scratch::filled("feeds").await;
        let mut session = connect::connect_for(&options, connect::Use::Read).await.unwrap().connection;

        for statistics in ["SELECT 1", "ANALYZE"] {
            sqlx::query(statistics).execute(&mut session).await.unwrap();
            let changes =
                sqlx::query(AssertSqlSafe(format!("EXPLAIN {}", *CHANGES))).bind(7i64).bind(40_000i64);
            let history = sqlx::query(AssertSqlSafe(format!("EXPLAIN {HISTORY}"))).bind(uuid::Uuid::nil());
            for explain in [changes.bind(100i64), history] {
                let lines = explain.fetch_all(&mut session).await.unwrap();
                let plan: String = lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect();
                let by_index = plan.contains("Index Scan using history_");
                assert!(by_index && !plan.contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
                assert!(!plan.contains("Hash") && !plan.contains("Merge"), "{plan}");
            }
        }
        session.close().await.unwrap();
    }

    #[tokio::test]
    async fn every_list_is_a_range_of_an_index_with_statistics_and_without() {
        let options = scratch::filled("plans").await;
        indexes::make_all(&options, tokio::task::yield_now).await.unwrap();
        let mut session = connect::connect_for(&options, connect::Use::Read).await.unwrap().connection;

        for statistics in ["SELECT 1", "ANALYZE"] {
            sqlx::query(statistics).execute(&mut session).await.unwrap();
            for query in ListQuery::all_combinations() {
                let plan = plan(&mut session, "EXPLAIN", &query).await;
                assert!(plan.contains("Index Scan Backward using incidents_"), "{query:?}: {plan}");
                let merged = matches!(query, ListQuery { reporter: None, status: None, .. });
                assert_eq!(plan.contains("Merge Append"), merged, "{query:?}: {plan}");
                let (ranges, lines) = if merged { (2, 12) } else { (1, 5) };
                assert_eq!(plan.matches("Index Cond: ").count(), ranges, "{query:?}: {plan}");
                assert!(plan.lines().count() <= lines, "{query:?}: {plan}");
                assert!(
                    !plan.contains("Seq Scan") && !plan.replace("Sort Key: ", "").contains("Sort"),
                    "{query:?}: {plan}"
                );
                // One index has all that is asked for. That open ones are not erased it does not know.
                let plan = plan.replace("Filter: (erased_at_ms IS NULL)", "");
                assert!(!plan.contains("Filter: "), "{query:?}: {plan}");
            }
        }
        session.close().await.unwrap();
    }

    #[tokio::test]
    async fn no_list_walks_through_what_was_erased() {
        let options = scratch::filled("erased_lists").await;
        indexes::make_all(&options, tokio::task::yield_now).await.unwrap();
        let mut session = connect::connect_for(&options, connect::Use::Read).await.unwrap().connection;
        sqlx::query(ListQuery::ERASE_MOST).execute(&mut session).await.unwrap();

        for statistics in ["SELECT 1", "ANALYZE"] {
            sqlx::query(statistics).execute(&mut session).await.unwrap();
            for query in ListQuery::all_combinations() {
                let plan = plan(&mut session, "EXPLAIN ANALYZE", &query).await;
                assert!(!plan.contains("Rows Removed"), "{query:?}: {plan}");
            }
        }
        session.close().await.unwrap();
    }
}
