//! Where the API document says that an answer leads, there it leads.

use incident_tests::{Answer, Client, Server, incident_keys::sealed, payload};
use reqwest::Method;
use serde_json::Value;

struct Document(Value);

impl Document {
    async fn of(server: &Server) -> Self {
        Self(server.get("/openapi.json").await.body)
    }

    /// The path and the rest of a reading operation.
    fn operation(&self, id: &str) -> (&str, &Value) {
        let paths = self.0["paths"].as_object().unwrap().iter();
        let mut operations = paths.flat_map(|(path, methods)| {
            methods.as_object().unwrap().values().map(move |operation| (path.as_str(), operation))
        });
        operations.find(|(_, operation)| operation["operationId"] == id).unwrap_or_else(|| panic!("{id}"))
    }

    /// Sends the request that a link makes of an answer and of what was asked, which is written as `query.limit`.
    async fn follow(
        &self,
        client: &Client,
        (from, name): (&str, &str),
        asked: &[(&str, &str)],
        answer: &Answer,
    ) -> Answer {
        let link = &self.operation(from).1["responses"][answer.status.to_string()]["links"][name];
        let to = link["operationId"].as_str().unwrap_or_else(|| panic!("{from} has no link {name}"));
        let (path, operation) = self.operation(to);
        let (mut path, mut query, mut headers) = (path.to_owned(), Vec::new(), Vec::new());
        for (name, expression) in link["parameters"].as_object().unwrap() {
            let Some(value) = evaluate(expression.as_str().unwrap(), asked, answer) else { continue };
            match place(operation, name) {
                "path" => path = path.replace(&format!("{{{name}}}"), &value),
                "query" => query.push(format!("{name}={value}")),
                "header" => headers.push((name, value)),
                other => panic!("{other}"),
            }
        }
        let request = client.request(Method::GET, &format!("{path}?{}", query.join("&")));
        Answer::to(headers.into_iter().fold(request, |request, (name, value)| request.header(name, value)))
            .await
    }
}

/// Where a parameter of an operation stands.
fn place<'a>(operation: &'a Value, name: &str) -> &'a str {
    let mut parameters = operation["parameters"].as_array().unwrap().iter();
    let parameter = parameters.find(|parameter| parameter["name"] == name);
    parameter.unwrap_or_else(|| panic!("it has no {name}"))["in"].as_str().unwrap()
}

/// The value of a runtime expression (OpenAPI 3.1.1, section 4.8.20.4), if what it names is there.
fn evaluate(expression: &str, asked: &[(&str, &str)], answer: &Answer) -> Option<String> {
    if let Some(pointer) = expression.strip_prefix("$response.body#") {
        return answer.body.pointer(pointer).map(|value| value.as_str().unwrap().to_owned());
    }
    let name = expression.strip_prefix("$request.").unwrap_or_else(|| panic!("{expression}"));
    asked.iter().find(|(asked, _)| *asked == name).map(|(_, value)| (*value).to_owned())
}

#[tokio::test]
async fn the_answer_to_a_sync_leads_to_its_incident_and_its_history_with_or_without_a_name() {
    let server = Server::start().await;
    let (document, alice) = (Document::of(&server).await, server.client("alice"));
    let report = payload::anonymous(payload::at("2026-11-22T10:15:30.121Z"));
    let key = sealed(7, "alice", &report);

    for answer in [
        alice.sync(&payload::report()).await,
        alice.sync(&payload::report()).await,
        alice.sync_with_key(&report, &key).await,
        alice.sync_with_key(&report, &key).await,
    ] {
        let incident = document.follow(&alice, ("sync", "incident"), &[], &answer).await;
        let history = document.follow(&alice, ("sync", "history"), &[], &answer).await;

        assert_eq!(incident.body, answer.body["incident"], "{answer:?}");
        assert_eq!(history.body["events"][0]["kind"], "created", "{answer:?}");
    }
}

#[tokio::test]
async fn the_answer_to_a_batch_leads_to_its_first_incident() {
    let server = Server::start().await;
    let (document, alice) = (Document::of(&server).await, server.client("alice"));
    let answer = alice.batch(&[payload::numbered(1), payload::numbered(2)]).await;

    let incident = document.follow(&alice, ("syncBatch", "firstIncident"), &[], &answer).await;

    assert_eq!(incident.body, answer.body["results"][0]["incident"]);
}

#[tokio::test]
async fn an_incident_and_its_history_lead_to_each_other_by_the_key_that_was_sent() {
    let server = Server::start().await;
    let (document, alice) = (Document::of(&server).await, server.client("alice"));
    let report = payload::anonymous(payload::report());
    let key = sealed(7, "alice", &report);
    let id = alice.sync_with_key(&report, &key).await.id();
    let asked = [("path.id", id.as_str()), ("header.Idempotency-Key", &key)];
    let incident = alice.get_with_key(&format!("/api/incidents/{id}"), &key).await;

    let history = document.follow(&alice, ("getIncident", "history"), &asked, &incident).await;
    let again = document.follow(&alice, ("getHistory", "incident"), &asked, &history).await;

    assert_eq!(history.body["events"][0]["kind"], "created");
    assert_eq!(again.body, incident.body);
}

#[tokio::test]
async fn a_page_of_a_list_leads_to_the_next_one_of_the_same_list() {
    let server = Server::start().await;
    let (document, alice) = (Document::of(&server).await, server.client("alice"));
    for number in 0..6 {
        let location = if number % 2 == 0 { "ward-7" } else { "ward-8" };
        alice.sync(&payload::with(payload::numbered(number), "locationId", location)).await;
    }
    let asked = [("query.locationId", "ward-8"), ("query.limit", "1")];
    let mut pages = vec![alice.get("/api/incidents?locationId=ward-8&limit=1").await];

    for _ in 0..2 {
        let last = pages.last().unwrap();
        pages.push(document.follow(&alice, ("listIncidents", "nextPage"), &asked, last).await);
    }

    let moments: Vec<_> = pages.iter().map(|page| &page.body["incidents"][0]["createdAt"]).collect();
    assert_eq!(moments, [5, 3, 1].map(|number| payload::numbered(number)["createdAt"].clone()).each_ref());
    assert!(pages[2].body.get("nextCursor").is_none(), "{:?}", pages[2]);
}

#[tokio::test]
async fn a_page_of_the_changes_leads_to_those_behind_it() {
    let server = Server::start().await;
    let (document, responder) = (Document::of(&server).await, server.responder());
    for number in 0..3 {
        server.client("alice").sync(&payload::numbered(number)).await;
    }
    let asked = [("query.limit", "2")];
    let first = responder.get("/api/incidents/changes?limit=2").await;

    let second = document.follow(&responder, ("listChanges", "nextPage"), &asked, &first).await;
    let third = document.follow(&responder, ("listChanges", "nextPage"), &asked, &second).await;

    let many = [&first, &second, &third].map(|page| page.body["changes"].as_array().unwrap().len());
    assert_eq!(many, [2, 1, 0]);
}
