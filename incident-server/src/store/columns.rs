//! The columns of an incident in SQL: the core says once for both databases which there are, and in which order.

use std::fmt::Write;

use incident_core::INCIDENT_COLUMNS;

/// What a record of an incident is read from, behind its `id`.
pub(super) fn read() -> String {
    each("incidents.{column}") + ",\n        incidents.erased_at_ms"
}

/// The columns that are written, behind one another.
pub(super) fn written() -> String {
    each("{column}")
}

/// A piece of SQL for each column that is written, between commas. In it `{column}` stands for its name, and `{place}` for
/// its place in a row that begins with the id, counted from 1.
pub(super) fn each(sql: &str) -> String {
    INCIDENT_COLUMNS.iter().zip(2..).fold(String::new(), |mut all, (column, place)| {
        let comma = if place == 2 { "" } else { ",\n        " };
        let sql = sql.replace("{column}", column).replace("{place}", &format!("{place}"));
        write!(all, "{comma}{sql}").expect("a string takes what is written into it");
        all
    })
}

/// The place of this column there.
pub(super) fn place_of(column: &str) -> usize {
    let found = INCIDENT_COLUMNS.iter().position(|known| *known == column);
    2 + found.expect("it is one of the columns")
}
