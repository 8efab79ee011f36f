//! The API document and the page that shows it.

use incident_core::Problem;
use incident_tests::{Answer, Program, Server, payload};
use reqwest::Method;
use serde_json::Value;

async fn document() -> Value {
    Server::start().await.get("/openapi.json").await.body
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, methods)| methods.as_object().unwrap().values().map(move |op| (path, op)))
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_has_every_route() {
    let document = document().await;

    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
    let paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for path in [
        "/api/incidents/sync",
        "/api/incidents/sync/batch",
        "/api/incidents",
        "/api/incidents/changes",
        "/api/incidents/{id}",
        "/api/incidents/{id}/history",
        "/healthz",
        "/readyz",
        "/metrics",
        "/problems/{slug}",
    ] {
        assert!(paths.contains(&path), "{path}");
    }
}

#[tokio::test]
async fn every_problem_that_a_route_has_is_shown_with_an_example() {
    let document = document().await;

    let shown: std::collections::BTreeSet<String> = operations(&document)
        .flat_map(|(_, operation)| operation["responses"].as_object().unwrap().values())
        .filter_map(|response| response["content"]["application/problem+json"]["examples"].as_object())
        .flat_map(|examples| {
            examples.iter().map(|(slug, example)| {
                assert_eq!(example["value"]["type"], format!("/problems/{slug}"));
                slug.clone()
            })
        })
        .collect();

    let missing: Vec<_> = Problem::ALL.iter().filter(|problem| !shown.contains(problem.as_str())).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn the_examples_of_refusals_are_what_their_routes_answer() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.body;
    let (alice, responder, eraser) = (server.client("alice"), server.responder(), server.eraser());
    let blank = payload::with(payload::report(), "locationId", " ");

    for (path, method, answer) in [
        ("/api/incidents/sync", "post", alice.sync(&blank).await),
        ("/api/incidents/sync", "post", alice.sync_text(" ".repeat(32 * 1024 + 1)).await),
        ("/api/incidents/sync/batch", "post", alice.batch_text("{}").await),
        ("/api/incidents/sync/batch", "post", alice.batch_text(" ".repeat(1024 * 1024 + 1)).await),
        ("/api/incidents", "get", alice.get("/api/incidents?limit=0").await),
        ("/api/incidents/changes", "get", responder.get("/api/incidents/changes?after=x").await),
        ("/api/incidents", "delete", eraser.delete("/api/incidents").await),
    ] {
        let response = &document["paths"][path][method]["responses"][answer.status.to_string()];
        let examples = &response["content"]["application/problem+json"]["examples"];
        assert_eq!(examples[answer.slug()]["value"], answer.body, "{method} {path}");
    }
}

#[tokio::test]
async fn every_route_says_that_it_takes_no_other_methods() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.body;

    for (path, operation) in operations(&document) {
        let answer = Answer::to(server.stranger().request(Method::PUT, path)).await;
        assert_eq!(answer.said(), (405, "method-not-allowed".into()), "{path}");
        assert!(operation["responses"].get("405").is_some(), "{path}");
    }
}

#[tokio::test]
async fn an_erasure_is_shown_with_the_outcomes_that_it_has() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.body;
    let path = server.client("alice").sync(&payload::report()).await.header("location");

    let outcomes = [server.eraser().delete(&path).await, server.eraser().delete(&path).await];

    let outcomes = outcomes.map(|answer| answer.said().1);
    assert_eq!(
        document["components"]["schemas"]["Erasure"]["properties"]["outcome"]["enum"],
        serde_json::json!(outcomes)
    );
}

#[tokio::test]
async fn the_examples_in_the_document_are_taken_as_they_stand() {
    let server = Server::start().await;
    let document = server.get("/openapi.json").await.body;
    let example = |schema: &str| document["components"]["schemas"][schema]["examples"][0].clone();

    let alone = server.client("alice").sync(&example("SyncPayload")).await;
    let batch = server.client("bob").batch_text(example("Batch").to_string()).await;

    assert_eq!(alone.status, 201);
    assert_eq!(batch.body["results"][0]["httpStatus"], 201);
}

#[tokio::test]
async fn routes_that_need_a_token_say_so() {
    let document = document().await;

    for (path, operation) in operations(&document) {
        let secured = operation["security"][0].get("bearer").is_some();
        assert_eq!(secured, path.starts_with("/api/"), "{path}");
        assert_eq!(operation["responses"].get("401").is_some(), secured, "{path}");
    }
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[tokio::test]
async fn the_page_loads_nothing_from_other_hosts() {
    let server = Server::start().await;
    let moved = server.get("/docs").await;
    assert!(moved.status == 200 || moved.header("location") == "/docs/", "{moved:?}");

    let page = server.get("/docs/").await;

    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
    let loaded: Vec<_> = page
        .text
        .split(['"', '\''])
        .filter(|part| [".js", ".css"].iter().any(|end| part.ends_with(*end)))
        .collect();
    assert!(loaded.len() >= 2, "{}", page.text);
    for part in loaded {
        assert!(!part.contains("//"), "{part} comes from another host");
        let file = server.get(&format!("/docs/{}", part.trim_start_matches("./"))).await;
        assert_eq!(file.status, 200, "{part}");
        assert!(!file.text.contains("@import") && !file.text.contains("fonts.googleapis"), "{part}");
    }
}

#[tokio::test]
async fn the_page_is_about_this_server() {
    let server = Server::start().await;

    let settings = server.get("/docs/swagger-initializer.js").await;

    assert!(settings.text.contains("/openapi.json"), "{}", settings.text);
    assert!(!settings.text.contains("petstore"));
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);
}

#[tokio::test]
async fn the_page_and_its_files_run_nothing_of_others() {
    let server = Server::start().await;

    for path in ["/docs/", "/docs/swagger-ui-bundle.js", "/docs/nowhere", "/openapi.json"] {
        let policy = server.get(path).await.header("content-security-policy");
        let rules: Vec<_> = policy.split(';').map(str::trim).collect();
        for rule in
            ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(rules.contains(&rule), "{path}: {rule}: {policy}");
        }
    }
}

/// The names of all variables in the help.
fn settings(help: &str) -> Vec<&str> {
    help.split("[env: ").skip(1).filter_map(|rest| rest.split(['=', ']']).next()).collect()
}

#[tokio::test]
async fn the_operators_page_has_every_setting_with_its_default() {
    let page = include_str!("../../docs/operators.md");
    let help = Program::new().args(["--help"]).output().await.stdout;
    let help = String::from_utf8(help).unwrap();
    assert!(settings(&help).len() > 15, "{help}");

    for name in settings(&help) {
        let row = page.lines().find(|line| line.starts_with("| ") && line.contains(&format!("`{name}`")));
        let (_, described) = help.split_once(&format!("[env: {name}")).unwrap();
        let described = described.split("[env: ").next().unwrap();
        let default = described.split_once("[default: ").and_then(|(_, rest)| rest.split(']').next());
        let row = row.unwrap_or_else(|| panic!("{name} is not in docs/operators.md"));
        let shown = default.filter(|default| !default.contains(' ')).unwrap_or_default();
        assert!(row.contains(shown), "{name}: {shown}: {row}");
    }
}
