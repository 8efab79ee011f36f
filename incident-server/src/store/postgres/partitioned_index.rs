//! An index of a partitioned table, made beside the load: `CREATE INDEX CONCURRENTLY` makes it on one partition after the
//! other, and the index of the whole, which new partitions follow, is what these are attached to.

use sqlx::{AssertSqlSafe, PgConnection};

/// Whether it is there and whole: what was broken off stays behind as invalid, is kept up to date and never used.
pub(super) const STATE: &str = "
    SELECT pg_index.indisvalid
    FROM pg_index
    WHERE pg_index.indexrelid = to_regclass($1)";

pub(super) const IS_PARTITIONED: &str =
    "SELECT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = 'incidents'::regclass)";

/// The partitions that have no part in the index yet.
const WITHOUT: &str = "
    SELECT partition.inhrelid::regclass::text
    FROM pg_inherits AS partition
    WHERE partition.inhparent = 'incidents'::regclass
        AND NOT EXISTS (
            SELECT
            FROM pg_inherits AS part
            JOIN pg_index ON pg_index.indexrelid = part.inhrelid
            WHERE part.inhparent = to_regclass($1)
                AND pg_index.indrelid = partition.inhrelid
        )";

/// Makes what is missing of an index, which becomes valid with its last part.
pub(super) async fn make(session: &mut PgConnection, name: &str, columns: &str) -> Result<(), sqlx::Error> {
    run(session, format!("CREATE INDEX IF NOT EXISTS {name} ON ONLY incidents {columns}")).await?;
    let partitions: Vec<String> = sqlx::query_scalar(WITHOUT).bind(name).fetch_all(&mut *session).await?;
    for partition in partitions {
        let part = format!("{partition}{}", name.trim_start_matches("incidents"));
        if sqlx::query_scalar(STATE).bind(&part).fetch_optional(&mut *session).await? == Some(false) {
            run(session, format!("DROP INDEX CONCURRENTLY IF EXISTS {part}")).await?;
        }
        run(session, format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {part} ON {partition} {columns}"))
            .await?;
        run(session, format!("ALTER INDEX {name} ATTACH PARTITION {part}")).await?;
    }
    Ok(())
}

async fn run(session: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(statement)).execute(session).await.map(drop)
}
