//! Comma-separated values (RFC 4180) for spreadsheets: a line an incident, its history as JSON in the last column.

use std::{
    io::{self, Write},
    sync::LazyLock,
};

use incident_core::Field;
use serde_json::Value;

/// The columns, and where their values stand in an exported incident: around the fields of the report, which the core
/// names.
const BEFORE: [(&str, &str); 3] = [("id", "/id"), ("status", "/status"), ("reporter", "/reporter")];
const COORDINATES: [(&str, &str); 2] =
    [("longitude", "/gpsCoordinates/coordinates/0"), ("latitude", "/gpsCoordinates/coordinates/1")];
const BEHIND: [(&str, &str); 6] = [
    ("receivedAt", "/receivedAt"),
    ("clockSuspect", "/clockSuspect"),
    ("cancelledAt", "/cancelledAt"),
    ("cancellationReason", "/cancellationReason"),
    ("erasedAt", "/erasedAt"),
    ("history", "/history"),
];

static COLUMNS: LazyLock<Vec<(&str, String)>> = LazyLock::new(|| {
    let own = |(name, pointer): &(&'static str, &str)| (*name, (*pointer).to_owned());
    let facts = Field::ALL.iter().flat_map(|field| match field {
        Field::GpsCoordinates => COORDINATES.iter().map(own).collect(),
        field => vec![(field.as_str(), format!("/{field}"))],
    });
    BEFORE.iter().map(own).chain(facts).chain(BEHIND.iter().map(own)).collect()
});

pub(super) struct Csv<W>(W);

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W) -> Self {
        Self(out)
    }

    pub(super) fn header(&mut self) -> io::Result<()> {
        self.fields(COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
    }

    pub(super) fn line(&mut self, incident: &Value) -> io::Result<()> {
        self.fields(COLUMNS.iter().map(|(_, pointer)| field(incident.pointer(pointer))))
    }

    fn fields(&mut self, fields: impl Iterator<Item = String>) -> io::Result<()> {
        let line: Vec<_> = fields.map(quoted).collect();
        write!(self.0, "{}\r\n", line.join(","))
    }
}

/// Absent is empty; a text is as it stands, unless a spreadsheet would run it as a formula (CWE-1236).
fn field(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn quoted(field: String) -> String {
    if field.contains([',', '"', '\r', '\n']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_comma_a_quote_or_a_line_end_would_cut_is_quoted_and_formulas_are_texts() {
        let incident = json!({
            "id": "x", "locationId": "ward \"7\", east", "roomNumber": "=1+1", "isAnonymous": true,
            "gpsCoordinates": { "coordinates": [-12.5, 41] }, "cancellationReason": "two\nlines", "history": [],
        });
        let mut out = Vec::new();

        Csv::new(&mut out).line(&incident).unwrap();

        let expected = "x,,,\"ward \"\"7\"\", east\",'=1+1,-12.5,41,true,,,,,\"two\nlines\",,[]\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
