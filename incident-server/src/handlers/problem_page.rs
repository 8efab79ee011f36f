//! `GET /problems/{slug}`

use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderName, header},
    response::{Html, IntoResponse},
};
use incident_core::Problem;

use crate::{
    openapi,
    problem::{Advice, ProblemDetails, of_disposition},
    schema,
};

/// The page is text alone: a browser loads, sends and runs nothing.
const HEADERS: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

/// Read what to do about a problem
///
/// A short page for people. The `type` of every problem is its address.
#[utoipa::path(
    get,
    path = "/problems/{slug}",
    tag = "problems",
    operation_id = "getProblemPage",
    params((
        "slug" = inline(schema::ProblemWord), Path,
        description = "What stands behind `/problems/` in the `type` of a problem", example = "overloaded",
    )),
    responses(
        (status = 200, description = "A short page for people", body = String, content_type = "text/html"),
        openapi::PageProblems,
    )
)]
pub(crate) async fn get_problem_page(
    slug: Result<Path<String>, PathRejection>,
) -> Result<impl IntoResponse, ProblemDetails> {
    let problem = slug.ok().and_then(|Path(slug)| slug.parse().ok());
    let problem = problem.ok_or_else(|| {
        ProblemDetails::new(Problem::NotFound, "there is no such problem; /docs lists them").for_a_stranger()
    })?;
    Ok((HEADERS, Html(page(problem))))
}

/// Legible as it comes, too, for those who ask without a browser.
fn page(problem: Problem) -> String {
    let Advice { when, what_to_do } = Advice::on(problem);
    let (title, disposition) = (problem.title(), problem.disposition());
    let (status, for_clients) = (problem.status(), of_disposition(disposition));
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>

<h1>{title}</h1>
<p>Problem <code>{problem}</code>, status {status}</p>

<h2>When it is answered</h2>
<p>{when}</p>

<h2>What to do</h2>
<p>{what_to_do}</p>
<p>A program goes by the answer's disposition, which is <code>{disposition}</code>: {for_clients}.</p>

<p>All routes and answers are in the <a href="../docs/">API document</a>.</p>
</html>
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_taken_for_markup() {
        for problem in Problem::ALL.iter().copied() {
            let Advice { when, what_to_do } = Advice::on(problem);
            for text in [problem.title(), when, what_to_do, of_disposition(problem.disposition())] {
                assert!(!text.contains(['<', '>', '&']), "{text}");
            }
        }
    }
}
