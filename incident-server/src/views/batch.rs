//! What callers see of a batch.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{problem::ProblemDetails, schema, views::incident::SyncAnswer};

/// One result a payload, in order
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchAnswer {
    /// The success body or the problem, each with the status it would have had alone
    #[schema(value_type = Vec<schema::BatchResult>)]
    pub(crate) results: Vec<BatchResult>,
}

#[derive(Serialize)]
pub(crate) struct BatchResult {
    #[serde(rename = "httpStatus")]
    http_status: u16,
    #[serde(flatten)]
    answer: ItemAnswer,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ItemAnswer {
    Settled(Box<SyncAnswer>),
    Problem(Box<ProblemDetails>),
}

impl From<Result<(u16, SyncAnswer), ProblemDetails>> for BatchResult {
    fn from(answered: Result<(u16, SyncAnswer), ProblemDetails>) -> Self {
        let (status, answer) = match answered {
            Ok((status, answer)) => (status, ItemAnswer::Settled(Box::new(answer))),
            Err(details) => (details.problem().status(), ItemAnswer::Problem(Box::new(details))),
        };
        Self { http_status: status, answer }
    }
}
