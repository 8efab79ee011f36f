//! The OpenAPI document: what stands beside the handlers in it, made of the types they answer with.
//!
//! It builds on [`schema`](crate::schema), [`views`](crate::views) and [`problem`](crate::problem); only handlers
//! and the route table build on it.

mod links;
mod problems;

use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

pub(crate) use problems::{
    BatchProblems, ChangesProblems, ErasureOfReporterProblems, ErasureProblems, IncidentProblems,
    ListProblems, OperationsProblems, PageProblems, ReadinessProblems, SyncProblems,
};

use crate::{
    problem::ProblemDetails,
    schema::{Batch, BatchResult, Point, SyncPayload, Violation, Warning},
    views::batch::BatchAnswer,
    views::changes::{ChangePageView, ChangeView, History},
    views::incident::{
        ErasedView, ErasureOfReporterView, ErasureView, IncidentPageView, IncidentView, StoredView,
        SyncAnswer,
    },
};

/// What stands in the document besides the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "incident-sync",
        description = "Creates and cancels incidents exactly once, however often and in whatever order a phone \
                       that was offline sends them. Every result of a sync and every problem tells in `disposition` what the \
                       client does next: `settled` done; `retry` back off and send again; `reauth` get a new token; `quarantine` keep \
                       the report, tell the user, go on with the others.",
    ),
    tags(
        (name = "sync", description = "What phones send"),
        (name = "read", description = "What reporters and responders read"),
        (name = "erase", description = "What the law asks for"),
        (name = "operations", description = "What operators watch"),
        (name = "problems", description = "What went wrong, in words"),
    ),
    components(schemas(
        SyncPayload, Batch, SyncAnswer, IncidentView, ErasedView, StoredView, ErasureView, ErasureOfReporterView, IncidentPageView, History, ChangePageView, ChangeView, ProblemDetails, Point, Violation, Warning,
        BatchResult, BatchAnswer,
    )),
)]
pub(crate) struct Base;

/// Adds what the macros cannot say: how a caller proves who they are, and where answers lead.
pub(crate) fn complete(mut document: Document) -> Document {
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some(
            "A JSON Web Token (RFC 7519): `sub` is the reporter, `scope` may hold `incidents:read` and \
             `incidents:erase`",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    links::add(&mut document);
    document
}
