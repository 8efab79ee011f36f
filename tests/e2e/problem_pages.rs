//! The `type` of a problem is the address of a page that says what to do.

use incident_core::Problem;
use incident_tests::{Answer, Server};
use reqwest::Method;

#[tokio::test]
async fn every_problem_has_a_page_that_says_what_to_do() {
    let server = Server::start().await;

    for problem in Problem::ALL {
        let page = server.get(&format!("/problems/{problem}")).await;

        assert_eq!(page.status, 200, "{problem}: {page:?}");
        assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
        for part in [
            problem.title(),
            problem.as_str(),
            &problem.status().to_string(),
            problem.disposition().as_str(),
            "When it is answered",
            "What to do",
        ] {
            assert!(page.text.contains(part), "{problem}: {part}: {}", page.text);
        }
    }
}

#[tokio::test]
async fn the_type_of_a_real_problem_leads_to_its_page() {
    let server = Server::start().await;
    let refused = server.get("/api/incidents").await;

    let page = server.get(refused.body["type"].as_str().unwrap()).await;

    assert!(page.text.contains(refused.body["title"].as_str().unwrap()), "{page:?}");
}

#[tokio::test]
async fn a_page_loads_and_runs_nothing() {
    let page = Server::start().await.get("/problems/overloaded").await;

    assert_eq!(
        page.header("content-security-policy"),
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_problem_that_does_not_exist_has_no_page() {
    let server = Server::start().await;

    for path in ["/problems/", "/problems", "/problems/teapot", "/problems/Overloaded", "/problems/%3Cb%3E"] {
        let answer = server.get(path).await;
        assert_eq!(answer.said(), (404, "not-found".into()), "{path}");
    }
    let posted = Answer::to(server.stranger().request(Method::POST, "/problems/overloaded")).await;
    assert_eq!(posted.said(), (405, "method-not-allowed".into()));
}
