//! The fake server of the phone's packages answers as the real one does: an app's test that passes there holds here.

use incident_core::{Reporter, Timestamp};
use incident_mobile_testing::{self as fake, BATCH_PATH, Header, Request, SYNC_PATH};
use incident_tests::{Answer, Client, Server, payload};
use reqwest::Method;
use serde_json::{Value, json};

/// Both servers, and somebody who asks them the same.
struct Both {
    real: Client,
    fake: fake::Server,
}

impl Both {
    fn new(server: &Server) -> Self {
        let mut fake = fake::Server::default();
        fake.signed_in = Some(Reporter::parse("alice").unwrap());
        Self { real: server.client("alice"), fake }
    }

    async fn ask(&mut self, path: &str, key: Option<&str>, body: String) {
        let mut request = self.real.request(Method::POST, path).header("content-type", "application/json");
        let mut headers = Vec::new();
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
            headers.push(Header { name: "Idempotency-Key".into(), value: key.into() });
        }
        let real = Answer::to(request.body(body.clone())).await;
        let request = Request { path: path.to_owned(), headers, body: body.into_bytes() };
        let fake::Answer::Response { status, body: answer, .. } = self.fake.answer(&request, now()) else {
            panic!("no answer")
        };
        let fake = told(serde_json::from_slice(&answer).unwrap());
        assert_eq!(
            (status, fake),
            (i64::from(real.status), told(real.body)),
            "{:?}",
            request.body.escape_ascii()
        );
    }

    async fn sync(&mut self, payload: &Value) {
        self.ask(SYNC_PATH, None, payload.to_string()).await;
    }
}

fn now() -> Timestamp {
    "2026-11-26T12:00:00Z".parse().unwrap()
}

/// An answer without what each server has of its own: its secret, its clock, its words for people, its limits.
const OWN: [&str; 6] = ["id", "receivedAt", "cancelledAt", "detail", "clockSuspect", "maxItems"];

/// An answer without those.
fn told(mut answer: Value) -> Value {
    match &mut answer {
        Value::Object(members) => {
            members.retain(|name, _| !OWN.contains(&name.as_str()));
            members.values_mut().for_each(|value| *value = told(value.take()));
        }
        Value::Array(elements) => elements.iter_mut().for_each(|value| *value = told(value.take())),
        _ => {}
    }
    answer
}

#[tokio::test]
async fn the_fake_server_of_the_packages_answers_payloads_as_the_real_one_does() {
    let server = Server::start().await;
    let mut both = Both::new(&server);
    let report = payload::report();
    let bare = payload::with(payload::numbered(7), "roomNumber", Value::Null);
    for payload in [
        report.clone(),
        report.clone(),
        payload::cancelled(report.clone(), "false alarm"),
        payload::cancelled(report.clone(), "another reason"),
        payload::with(report.clone(), "locationId", "ward-8"),
        payload::with(bare.clone(), "cancelationReason", "misspelt"),
        payload::anonymous(payload::numbered(8)),
        payload::cancelled(payload::numbered(9), "at once"),
        payload::with(report.clone(), "locationId", " "),
        json!({}),
        json!([]),
    ] {
        both.sync(&payload).await;
    }
    both.ask(SYNC_PATH, None, "{".into()).await;
    both.ask(SYNC_PATH, Some("no key"), bare.to_string()).await;
    both.ask(SYNC_PATH, Some("\"01a202c0-f648-81b8-95f2-469ecf9e3f4e\""), report.to_string()).await;
}

#[tokio::test]
async fn the_fake_server_of_the_packages_answers_batches_as_the_real_one_does() {
    let server = Server::start().await;
    let mut both = Both::new(&server);
    let (report, other) = (payload::report(), payload::numbered(3));
    for batch in [
        json!({"incidents": [report, {}, other, report], "idempotencyKeys": [null, null, "x", null]}),
        json!({"incidents": []}),
        json!({"incidents": [report], "idempotencyKeys": []}),
        json!({"incidents": 7}),
        json!({}),
        json!({"incidents": vec![json!({}); 501]}),
    ] {
        both.ask(BATCH_PATH, None, batch.to_string()).await;
    }
    both.ask(BATCH_PATH, None, "[".into()).await;
    both.ask("/api/nowhere", None, "{}".into()).await;
}
