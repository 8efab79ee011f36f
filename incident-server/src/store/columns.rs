//! The columns of an incident in SQL: each by its name, which the core says once for both databases.

use std::fmt::Write;

use incident_core::{Column, INCIDENT_COLUMNS, IncidentId};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// What a record of an incident is read from, behind its `id`.
pub(super) fn read() -> String {
    each("incidents.{}") + ",\n        incidents.erased_at_ms"
}

/// The columns that are written, behind one another.
pub(super) fn written() -> String {
    each("{}")
}

/// A piece of SQL for each column that is written, between commas; `{}` stands for its name.
pub(super) fn each(sql: &str) -> String {
    INCIDENT_COLUMNS.iter().enumerate().fold(String::new(), |mut all, (number, column)| {
        let comma = if number == 0 { "" } else { ",\n        " };
        write!(all, "{comma}{}", sql.replace("{}", column)).expect("a string takes what is written into it");
        all
    })
}

/// A row by name, for a database that is given rows as JSON.
pub(super) struct NamedRow<'a> {
    pub(super) id: IncidentId,
    pub(super) columns: [Column<'a>; INCIDENT_COLUMNS.len()],
}

impl Serialize for NamedRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut row = serializer.serialize_map(Some(1 + INCIDENT_COLUMNS.len()))?;
        row.serialize_entry("id", &self.id)?;
        for (name, value) in INCIDENT_COLUMNS.iter().zip(self.columns) {
            row.serialize_entry(name, &value)?;
        }
        row.end()
    }
}
