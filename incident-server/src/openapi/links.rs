//! Where an answer leads: the requests that can be made of what stands in it (OpenAPI 3.1.1, section 4.8.20).
//!
//! A request that goes on says again what the first one said: the filters of a list, the key of an anonymous incident.
//! Where an expression names what is not there, nothing is sent for it.

use utoipa::openapi::{OpenApi as Document, RefOr, link::Link, path::Operation};

/// What one operation's answers of success lead to.
struct Way {
    from: &'static str,
    name: &'static str,
    to: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    about: &'static str,
}

const OF_A_SYNC: &[(&str, &str)] =
    &[("id", "$response.body#/incident/id"), ("Idempotency-Key", "$response.body#/idempotencyKey")];
const OF_THE_FIRST_RESULT: &[(&str, &str)] = &[
    ("id", "$response.body#/results/0/incident/id"),
    ("Idempotency-Key", "$response.body#/results/0/idempotencyKey"),
];
const OF_THE_SAME: &[(&str, &str)] =
    &[("id", "$request.path.id"), ("Idempotency-Key", "$request.header.Idempotency-Key")];
const OF_THE_NEXT_PAGE: &[(&str, &str)] = &[
    ("cursor", "$response.body#/nextCursor"),
    ("status", "$request.query.status"),
    ("locationId", "$request.query.locationId"),
    ("createdAfter", "$request.query.createdAfter"),
    ("createdBefore", "$request.query.createdBefore"),
    ("limit", "$request.query.limit"),
];
const OF_THE_NEXT_CHANGES: &[(&str, &str)] =
    &[("after", "$response.body#/nextCursor"), ("limit", "$request.query.limit")];

const WAYS: &[Way] = &[
    Way { from: "sync", name: "incident", to: "getIncident", parameters: OF_A_SYNC, about: "The incident" },
    Way {
        from: "sync",
        name: "history",
        to: "getHistory",
        parameters: OF_A_SYNC,
        about: "What happened to the incident",
    },
    Way {
        from: "syncBatch",
        name: "firstIncident",
        to: "getIncident",
        parameters: OF_THE_FIRST_RESULT,
        about: "The incident of the first result, unless it is a problem; likewise those of the others",
    },
    Way {
        from: "getIncident",
        name: "history",
        to: "getHistory",
        parameters: OF_THE_SAME,
        about: "What happened to the incident",
    },
    Way {
        from: "getHistory",
        name: "incident",
        to: "getIncident",
        parameters: OF_THE_SAME,
        about: "The incident",
    },
    Way {
        from: "listIncidents",
        name: "nextPage",
        to: "listIncidents",
        parameters: OF_THE_NEXT_PAGE,
        about: "The next page of the same list, where there is a `nextCursor`; without one this is the last",
    },
    Way {
        from: "listChanges",
        name: "nextPage",
        to: "listChanges",
        parameters: OF_THE_NEXT_CHANGES,
        about: "The changes behind these, also after an empty page",
    },
];

/// Puts each into the answers of its operation.
pub(super) fn add(document: &mut Document) {
    let operations = document.paths.paths.values_mut().flat_map(|path| [&mut path.get, &mut path.post]);
    for operation in operations.flatten() {
        let of_it = |way: &&Way| operation.operation_id.as_deref() == Some(way.from);
        for way in WAYS.iter().filter(of_it).collect::<Vec<_>>() {
            way.add(operation);
        }
    }
}

impl Way {
    fn add(&self, operation: &mut Operation) {
        for (status, response) in &mut operation.responses.responses {
            if let RefOr::T(response) = response
                && status.starts_with('2')
            {
                response.links.insert(self.name.to_owned(), self.link().into());
            }
        }
    }

    fn link(&self) -> Link {
        let link = Link::builder().operation_id(self.to).description(self.about);
        let parameters = self.parameters.iter();
        parameters.fold(link, |link, (name, expression)| link.parameter(*name, *expression)).build()
    }
}
