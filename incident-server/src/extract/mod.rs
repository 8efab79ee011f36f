//! What a handler takes out of a request, in the order in which faults are answered: caller, then body.

mod body;
mod caller;
mod changes;
mod erasure;
mod idempotency_key;
mod incident_id;
mod list;
mod query;

pub(crate) use body::JsonBody;
pub(crate) use caller::{Erases, ReadsAll, SendsOne};
pub(crate) use changes::ChangesParameters;
pub(crate) use erasure::OfReporter;
pub(crate) use idempotency_key::{KeyHeader, SealedKeyHeader};
pub(crate) use incident_id::{PathId, gone, not_found};
pub(crate) use list::{ListCursor, ListParameters};

#[cfg(test)]
mod tests {
    use incident_core::{LocationId, Reporter};

    use super::{changes, list};

    /// The macros that make the document take literals only.
    #[test]
    fn the_api_document_names_the_limits_that_are_kept() {
        let document = serde_json::to_value(crate::routes::document()).unwrap();
        let parameter = |path: &str, name: &str| {
            let all = document["paths"][path]["get"]["parameters"].as_array().unwrap();
            all.iter().find(|parameter| parameter["name"] == name).unwrap().clone()
        };
        for (path, default, max) in [
            ("/api/incidents", list::DEFAULT_LIMIT, list::MAX_LIMIT),
            ("/api/incidents/changes", changes::DEFAULT_LIMIT, changes::MAX_LIMIT),
        ] {
            let limit = parameter(path, "limit");
            assert_eq!(limit["schema"]["maximum"], max);
            let description = limit["description"].as_str().unwrap();
            assert!(description.ends_with(&format!(" {default} unless given.")), "{description}");
        }
        assert_eq!(parameter("/api/incidents", "locationId")["schema"]["maxLength"], LocationId::MAX_CHARS);
        let reporter = &document["paths"]["/api/incidents"]["delete"]["parameters"][0];
        assert_eq!(reporter["schema"]["maxLength"], Reporter::MAX_CHARS);
    }
}
