//! What a route answers when all is well.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, schema::Type},
};

use crate::{batch_view, changes_view, view};

/// Of a sync.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "documentation only")]
pub(crate) enum Synced {
    /// The incident exists, and this payload changed it or was a repeat
    #[response(status = 200)]
    Known(#[to_schema] view::SyncAnswer),
    /// The incident is new
    #[response(status = 201, headers(("Location" = String, description = "Where the incident is read")))]
    New(#[to_schema] view::SyncAnswer),
}

macro_rules! success {
    ($($(#[$doc:meta])* $name:ident($body:ty);)*) => {
        $($(#[$doc])*
        #[derive(IntoResponses)]
        #[response(status = 200)]
        #[expect(dead_code, reason = "documentation only")]
        pub(crate) struct $name(#[to_schema] $body);)*
    };
}

success! {
    /// One result a payload, in order
    BatchSynced(batch_view::BatchAnswer);
    /// The incident
    IncidentFound(view::IncidentView);
    /// What happened to it
    HistoryFound(changes_view::History);
    /// What is left of it
    IncidentErased(view::ErasureView);
    /// How many were erased
    ReporterErased(view::ErasureOfReporterView);
    /// A page of incidents
    Listed(view::IncidentPageView);
    /// The server's state
    Healthy(view::Health);
}

/// Counters in the `OpenMetrics` text format
#[derive(IntoResponses)]
#[response(status = 200, content_type = "application/openmetrics-text")]
#[expect(dead_code, reason = "documentation only")]
pub(crate) struct MetricsText(String);

/// A short page for people
#[derive(IntoResponses)]
#[response(status = 200, content_type = "text/html")]
#[expect(dead_code, reason = "documentation only")]
pub(crate) struct ProblemPage(String);

/// Of the changes: a page, or a stream of events.
pub(crate) struct Changes;

impl IntoResponses for Changes {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let page = ContentBuilder::new().schema(Some(Ref::from_schema_name("ChangePage"))).build();
        let text = ObjectBuilder::new().schema_type(Type::String);
        let stream = ContentBuilder::new().schema(Some(text)).build();
        let about = "A page; or with `Accept: text/event-stream` the same as a stream: `id:` the cursor, `event:` the \
                     kind, `data:` the change, and a comment line at least every 15 s";
        let response = ResponseBuilder::new()
            .description(about)
            .content("application/json", page)
            .content("text/event-stream", stream);
        BTreeMap::from([("200".to_owned(), response.build().into())])
    }
}
