//! Statements that are executed together, with the rows that they are given.
//!
//! Each value of a row is bound: to find it in JSON took an eighth of all instructions of a report. Rows come in portions of
//! a few sizes, filled up with rows of NULL, so that few texts are ever parsed.

use std::iter;

use incident_core::{Column, IncidentId};
use sqlx::{
    Arguments, AssertSqlSafe, Encode, Sqlite, SqliteConnection, Type,
    sqlite::{SqliteArguments, SqliteRow},
};

use crate::store::StoreError;

const SIZES: [usize; 7] = [1, 4, 16, 32, 64, 128, 256];
const LARGEST: usize = SIZES[SIZES.len() - 1];

/// A row that a statement is given: an id, which is `column1` there, and more.
pub(super) type Given<'a, const MORE: usize> = (IncidentId, [Column<'a>; MORE]);

/// One text of statements, and their values in order.
#[derive(Default)]
pub(super) struct Script {
    sql: String,
    values: SqliteArguments,
}

impl Script {
    /// Adds statements without rows.
    pub(super) fn then(mut self, sql: &str) -> Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds the value of a `?` in what was added last.
    pub(super) fn with(mut self, value: i64) -> Self {
        self.bind(value);
        self
    }

    /// Adds a statement for each portion of the rows, which stand as `(VALUES …)` between the two pieces of SQL. They are in
    /// order there, and those whose `column1` is NULL are none.
    pub(super) fn for_rows<const MORE: usize>(
        mut self,
        before: &str,
        rows: &[Given<'_, MORE>],
        behind: &str,
    ) -> Self {
        for portion in rows.chunks(LARGEST) {
            let size = SIZES.into_iter().find(|size| portion.len() <= *size).unwrap_or(LARGEST);
            let row = format!("(?{})", ", ?".repeat(MORE));
            let places = iter::repeat_n(row.as_str(), size).collect::<Vec<_>>().join(", ");
            self.sql.extend([before, "(VALUES ", &places, ")", behind]);
            for (id, more) in portion {
                self.bind(id.as_bytes().as_slice());
                for value in more {
                    self.bind_column(*value);
                }
            }
            (0..(size - portion.len()) * (1 + MORE)).for_each(|_| self.bind(None::<i64>));
        }
        self
    }

    fn bind_column(&mut self, column: Column<'_>) {
        match column {
            Column::Boolean(value) => self.bind(value),
            Column::Integer(value) => self.bind(value),
            Column::BigInteger(value) => self.bind(value),
            Column::Text(value) => self.bind(value),
        }
    }

    fn bind<'v>(&mut self, value: impl Encode<'v, Sqlite> + Type<Sqlite>) {
        self.values.add(value).expect("numbers, texts and bytes are encoded without fail");
    }

    /// Executes all of it.
    pub(super) async fn execute(self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        Ok(sqlx::query_with(AssertSqlSafe(self.sql), self.values).execute(connection).await.map(drop)?)
    }

    /// Executes all of it and gives what was selected.
    pub(super) async fn fetch_all(
        self,
        connection: &mut SqliteConnection,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        Ok(sqlx::query_with(AssertSqlSafe(self.sql), self.values).fetch_all(connection).await?)
    }
}

#[cfg(test)]
mod tests {
    use incident_core::Timestamp;
    use sqlx::Connection;

    use super::*;

    #[tokio::test]
    async fn rows_of_any_number_are_all_there_in_their_order() {
        for count in [0, 1, 2, 16, 17, 256, 257, 600] {
            let mut connection = SqliteConnection::connect(":memory:").await.unwrap();
            let rows: Vec<_> =
                (0..count).map(|number| (id(number), [Column::BigInteger(Some(number))])).collect();

            let script = Script::default()
                .then("CREATE TABLE t (at INTEGER PRIMARY KEY, id BLOB NOT NULL, number INTEGER NOT NULL);")
                .for_rows("INSERT INTO t (id, number) SELECT * FROM ", &rows, " WHERE column1 IS NOT NULL;");
            script
                .then("UPDATE t SET number = number + ?;")
                .with(1000)
                .execute(&mut connection)
                .await
                .unwrap();

            let stored: Vec<(Vec<u8>, i64)> = sqlx::query_as("SELECT id, number FROM t ORDER BY at")
                .fetch_all(&mut connection)
                .await
                .unwrap();
            let expected = (0..count).map(|number| (id(number).as_bytes().to_vec(), 1000 + number));
            assert_eq!(stored, expected.collect::<Vec<_>>(), "{count}");
        }
    }

    fn id(number: i64) -> IncidentId {
        IncidentId::first_at(Timestamp::from_unix_ms(number).unwrap())
    }
}
