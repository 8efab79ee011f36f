//! The columns of an incident in SQL: the core says once for both databases which there are, and in which order.

use std::fmt::Write;

use incident_core::{Column, INCIDENT_COLUMNS, IncidentId};
use serde::{Serialize, Serializer, ser::SerializeTuple};

/// What a record of an incident is read from, behind its `id`.
pub(super) fn read() -> String {
    each("incidents.{column}") + ",\n        incidents.erased_at_ms"
}

/// The columns that are written, behind one another.
pub(super) fn written() -> String {
    each("{column}")
}

/// A piece of SQL for each column that is written, between commas. In it `{column}` stands for its name, and `{index}` for
/// where a [`JsonRow`] has it.
pub(super) fn each(sql: &str) -> String {
    INCIDENT_COLUMNS.iter().zip(1..).fold(String::new(), |mut all, (column, index)| {
        let comma = if index == 1 { "" } else { ",\n        " };
        let sql = sql.replace("{column}", column).replace("{index}", &format!("{index}"));
        write!(all, "{comma}{sql}").expect("a string takes what is written into it");
        all
    })
}

/// Where a [`JsonRow`] has this column.
pub(super) fn index_of(column: &str) -> usize {
    let found = INCIDENT_COLUMNS.iter().position(|known| *known == column);
    1 + found.expect("it is one of the columns")
}

/// A row for a database that is given rows as JSON: its id, then its columns in their order. Names in each row would cost
/// SQLite a tenth of what a batch takes.
pub(super) struct JsonRow<'a> {
    pub(super) id: IncidentId,
    pub(super) columns: [Column<'a>; INCIDENT_COLUMNS.len()],
}

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_tuple(1 + INCIDENT_COLUMNS.len())?;
        row.serialize_element(&self.id)?;
        for value in self.columns {
            row.serialize_element(&value)?;
        }
        row.end()
    }
}
