//! What each statement reads: the rows that it names, in the partitions that have them.

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};

use super::{
    connect::{Use, connect_for},
    export,
    feed::CHANGES,
    indexes,
    read::{HISTORY, INCIDENT, list, statement},
    scratch,
    statements::{ERASE, LOOK, WRITE},
};
use crate::store::ListQuery;

/// Half of the rows of [`scratch::filled`] are before it.
const BOUND: &str = "2024-11-23T00:00:25Z";
/// In the first partition.
const PAST: [&str; 2] = ["01935651-7801-8000-8000-000000000001", "01935651-8000-8000-8000-000000000001"];
/// In the next one.
const NEXT: &str = "01935652-0000-8000-8000-000000000001";

type Names = BTreeSet<String>;

fn partitions<const N: usize>(names: [&str; N]) -> Names {
    names.map(str::to_owned).into()
}

async fn lines(session: &mut PgConnection, statement: String) -> String {
    let lines = sqlx::raw_sql(AssertSqlSafe(statement)).fetch_all(session).await.unwrap();
    lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect()
}

/// What a plan scans, by the names that both tables' partitions share.
fn scanned(plan: &str) -> Names {
    let scans = plan.lines().filter(|line| line.contains("Scan "));
    let names = scans.filter_map(|line| line.split_once(" on ")?.1.split_whitespace().next());
    let partition = |name: &str| {
        let part = name.strip_prefix("incidents_").or_else(|| name.strip_prefix("history_"));
        part.filter(|part| !part.starts_with("position")).map(str::to_owned)
    };
    names.filter_map(partition).collect()
}

/// The plan of a statement in a session that writes, where it is made once for all values.
async fn plan(session: &mut PgConnection, (statement, values): &(&str, String)) -> String {
    let prepare = format!("DEALLOCATE ALL; PREPARE one AS {statement}");
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut *session).await.unwrap();
    let plan = lines(session, format!("EXPLAIN EXECUTE one ({values})")).await;
    assert!(!plan.replace("Seq Scan on history_position_seq", "").contains("Seq Scan"), "{plan}");
    plan
}

/// The statements that a session prepares that writes, and values for them that are about two incidents.
fn writes(first: &str, last: &str) -> [(&'static str, String); 3] {
    let ids = format!("ARRAY['{first}', '{last}']::uuid[]");
    let both = |rest: &str| format!("ARRAY[ROW ('{first}', {rest}), ROW ('{last}', {rest})]");
    let incidents = both("1, 2, false, false, 0, 0, 0, 0, 0, 'x', 'x', 'x', 'x'");
    let events = both("0, 'created', NULL");
    let range = format!("'{first}', '{last}'");
    let written = format!("{incidents}::given_incident[], {events}::given_event[], {range}");
    let erased = format!("{incidents}::given_incident[], 'erased', {range}");
    [(&LOOK, format!("{ids}, {range}")), (&WRITE, written), (&ERASE, erased)]
}

/// Of tables that are new nothing is known, and a range looks as cheap as a row. The plan stays while they grow.
#[tokio::test]
async fn what_writes_finds_rows_by_their_ids_in_tables_that_are_new_as_well() {
    let [first, last] = PAST;
    for options in [scratch::empty("new_tables").await, scratch::filled("old_tables").await] {
        let mut session = connect_for(&options, Use::Write).await.unwrap().connection;
        for write in writes(first, last) {
            let plan = plan(&mut session, &write).await;
            let found = plan.lines().filter(|line| line.contains("Index Cond: "));
            for condition in found.map(|line| line.replace("incident_id", "id")) {
                assert!(condition.contains("(id = "), "{plan}");
            }
        }
        session.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_writes_opens_the_partitions_of_its_ids() {
    let options = scratch::partitioned("pruned_writes", BOUND).await;
    let mut session = connect_for(&options, Use::Write).await.unwrap().connection;
    let [first, second] = PAST;

    for (last, expected) in [(second, partitions(["past"])), (NEXT, partitions(["past", "from_2024_11_23"]))]
    {
        for write in writes(first, last) {
            assert_eq!(scanned(&plan(&mut session, &write).await), expected);
        }
    }
    session.close().await.unwrap();
}

#[tokio::test]
async fn what_reads_one_incident_opens_its_partition() {
    let options = scratch::partitioned("pruned_reads", BOUND).await;
    let mut session = connect_for(&options, Use::Read).await.unwrap().connection;
    let [first, last] = PAST;
    let values = |statement: &str, values: &[&str]| {
        let numbered = values.iter().enumerate();
        numbered.fold(format!("EXPLAIN {statement}"), |statement, (number, value)| {
            statement.replace(&format!("${}", number + 1), value)
        })
    };
    let (first, last) = (format!("'{first}'"), format!("'{last}'"));

    for (statement, expected) in [
        (values(&INCIDENT, &[&first]), partitions(["past"])),
        (values(HISTORY, &[&first]), partitions(["past"])),
        (values(export::HISTORY, &[&first, &last]), partitions(["past"])),
    ] {
        let plan = lines(&mut session, statement).await;
        assert_eq!(scanned(&plan), expected, "{plan}");
    }
    session.close().await.unwrap();
}

#[tokio::test]
async fn every_list_is_ranges_of_indexes_in_the_partitions_of_its_time() {
    let options = scratch::partitioned("pruned_lists", BOUND).await;
    indexes::make_all(&options, tokio::task::yield_now).await.unwrap();
    let mut session = connect_for(&options, Use::Read).await.unwrap().connection;
    sqlx::query("ANALYZE").execute(&mut session).await.unwrap();

    for query in ListQuery::all_combinations() {
        let explain = AssertSqlSafe(format!("EXPLAIN {}", statement(&query)));
        let lines = list(explain, &query).fetch_all(&mut session).await.unwrap();
        let plan: String = lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect();
        let has_end = query.created_before.is_some() || query.after.is_some();
        let expected =
            if has_end { partitions(["past"]) } else { partitions(["past", "from_2024_11_23", "default"]) };
        assert_eq!(scanned(&plan), expected, "{query:?}: {plan}");
        assert_eq!(
            plan.matches("Index Scan ").count(),
            plan.matches("Index Cond: ").count(),
            "{query:?}: {plan}"
        );
        let other = plan.replace("Sort Key: ", "");
        assert!(!other.contains("Sort") && !other.contains("Seq Scan"), "{query:?}: {plan}");
    }
    session.close().await.unwrap();
}

/// The feed is one order over all partitions; of the incidents it opens one for each row.
#[tokio::test]
async fn the_feed_merges_the_partitions() {
    let options = scratch::partitioned("merged_feed", BOUND).await;
    let mut session = connect_for(&options, Use::Read).await.unwrap().connection;

    for statistics in ["SELECT 1", "ANALYZE"] {
        sqlx::query(statistics).execute(&mut session).await.unwrap();
        let changes = sqlx::query(AssertSqlSafe(format!("EXPLAIN {}", *CHANGES))).bind(7i64).bind(40_000i64);
        let lines = changes.bind(100i64).fetch_all(&mut session).await.unwrap();
        let plan: String = lines.iter().map(|line| line.get::<String, _>(0) + "\n").collect();
        assert!(plan.contains("Merge Append") && plan.contains("Nested Loop"), "{plan}");
        assert!(!plan.replace("Sort Key: ", "").contains("Sort") && !plan.contains("Seq Scan"), "{plan}");
        assert!(!plan.contains("Hash") && !plan.contains("Merge Join"), "{plan}");
    }
    session.close().await.unwrap();
}
