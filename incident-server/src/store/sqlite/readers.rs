//! Connections that read: each query sees one state, ends in time, and stands aside when the log is emptied.

use std::time::{Duration, Instant};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::sync::Mutex;

use super::log_bound::LogBound;
use crate::store::{
    StoreError,
    pools::{Pool, Waits},
};

/// Readers at once; on a busy server they share the processors with the writer.
const READERS: u32 = 4;
/// How many steps of SQLite's machine pass between two looks at the clock, well below a millisecond.
const STEPS: i32 = 10_000;

pub(super) struct Readers {
    pool: SqlitePool,
    /// Reads nothing. While it is there, no other connection is the last to close, after which the next one reads the log anew
    /// and takes a commit whose sync failed for one that is there.
    last: Mutex<Option<SqliteConnection>>,
    waits: Waits,
    /// A query is interrupted after this long, so that one that walks through a large table costs only its caller.
    longest: Duration,
}

impl Readers {
    pub(super) async fn open(options: &SqliteConnectOptions, longest: Duration) -> Result<Self, sqlx::Error> {
        let options = options.clone().read_only(true);
        let mut last = options.connect().await?;
        sqlx::query("SELECT 1 FROM sqlite_schema LIMIT 1").execute(&mut last).await?;
        let pool = SqlitePoolOptions::new().max_connections(READERS).acquire_timeout(longest);
        let pool = pool.connect_lazy_with(options);
        Ok(Self { pool, last: Mutex::new(Some(last)), waits: Waits::default(), longest })
    }

    /// Runs one query.
    pub(super) async fn run<T>(
        &self,
        log: &LogBound,
        query: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let wait = self.waits.begin();
        let mut connection = self.pool.acquire().await?;
        let _reading = log.reading().await;
        drop(wait);
        let ends = Instant::now() + self.longest;
        connection.lock_handle().await?.set_progress_handler(STEPS, move || Instant::now() < ends);
        query(&mut connection).await
    }

    pub(super) fn pool(&self) -> Pool {
        let open = usize::try_from(self.pool.size()).unwrap_or(usize::MAX);
        self.waits.pool("read", open.saturating_sub(self.pool.num_idle()), READERS as usize)
    }

    pub(super) async fn close(&self) {
        self.pool.close().await;
        if let Some(last) = self.last.lock().await.take() {
            let _ = last.close().await; // it has nothing to lose
        }
    }
}

#[cfg(test)]
mod tests {
    use sqlx::sqlite::SqliteJournalMode;

    use super::{super::lock::beside, *};

    const ENDLESS: &str = "
        WITH RECURSIVE numbers (n) AS (
            SELECT 1
            UNION ALL
            SELECT n + 1 FROM numbers
        )
        SELECT count(*) FROM numbers";

    #[tokio::test]
    async fn a_query_without_end_is_interrupted_and_the_next_one_is_not() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = SqliteConnectOptions::new().filename(file.path());
        let readers = Readers::open(&options, Duration::from_millis(50)).await.unwrap();
        let log = LogBound::new(file.path(), Duration::from_secs(1), Duration::from_secs(1));
        let count = async |sql: &'static str| {
            let query = async |connection: &mut SqliteConnection| {
                Ok(sqlx::query_scalar::<_, i64>(sql).fetch_one(connection).await?)
            };
            readers.run(&log, query).await
        };

        let interrupted = count(ENDLESS).await;

        assert!(matches!(interrupted, Err(StoreError::Unavailable(_))), "{interrupted:?}");
        assert_eq!(count("SELECT 1").await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_writer_that_closes_leaves_the_log_and_nobody_reads_it_anew() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let options = SqliteConnectOptions::new().filename(file.path()).journal_mode(SqliteJournalMode::Wal);
        let mut writer = options.connect().await.unwrap();
        sqlx::query("CREATE TABLE t (n)").execute(&mut writer).await.unwrap();
        let readers = Readers::open(&options, Duration::from_secs(1)).await.unwrap();

        writer.close().await.unwrap();

        assert!(beside(file.path(), "-wal").exists());
        readers.close().await;
    }
}
