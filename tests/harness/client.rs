//! A well-behaved HTTP client with a token.

use std::{sync::Arc, time::Duration};

use reqwest::{Method, RequestBuilder, header::HeaderMap};
use serde_json::{Value, json};

const SYNC: &str = "/api/incidents/sync";
const KEY: &str = "idempotency-key";
/// The server closes a connection on which no request begins within 10 s.
const IDLE: Duration = Duration::from_secs(5);

/// Somebody who talks to the server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    url: Arc<str>,
    token: Option<Arc<str>>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub text: String,
    /// The body as JSON, `null` if it is none.
    pub body: Value,
}

impl Client {
    /// Somebody with this token, or none.
    ///
    /// # Panics
    /// Never.
    #[track_caller]
    pub fn new(url: &str, token: Option<String>) -> Self {
        let redirect = reqwest::redirect::Policy::none();
        let http = reqwest::Client::builder().no_proxy().redirect(redirect).pool_idle_timeout(IDLE);
        let http = http.build().expect("a client is made");
        Self { http, url: url.into(), token: token.map(Into::into) }
    }

    /// Somebody else on the same connections.
    #[must_use]
    pub fn with_token(&self, token: String) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// A request with the token, to be completed.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.url));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::GET, path)).await
    }

    /// Reads with an idempotency key.
    pub async fn get_with_key(&self, path: &str, key: &str) -> Answer {
        Answer::to(self.request(Method::GET, path).header(KEY, key)).await
    }

    /// Erases.
    pub async fn delete(&self, path: &str) -> Answer {
        Answer::to(self.request(Method::DELETE, path)).await
    }

    /// Syncs one payload.
    pub async fn sync(&self, payload: &Value) -> Answer {
        Answer::to(self.request(Method::POST, SYNC).json(payload)).await
    }

    /// Syncs a body as it stands, said to be JSON.
    pub async fn sync_text(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.post_text(SYNC, body).await
    }

    /// Syncs one payload with an idempotency key.
    pub async fn sync_with_key(&self, payload: &Value, key: &str) -> Answer {
        Answer::to(self.request(Method::POST, SYNC).header(KEY, key).json(payload)).await
    }

    /// Syncs many payloads in one request.
    pub async fn batch(&self, payloads: &[Value]) -> Answer {
        self.batch_text(json!({ "incidents": payloads }).to_string()).await
    }

    /// Syncs many payloads in one request, each with its key or null.
    pub async fn batch_with_keys(&self, payloads: &[Value], keys: &Value) -> Answer {
        self.batch_text(json!({ "incidents": payloads, "idempotencyKeys": keys }).to_string()).await
    }

    /// Syncs a batch body as it stands.
    pub async fn batch_text(&self, body: impl Into<reqwest::Body>) -> Answer {
        self.post_text("/api/incidents/sync/batch", body).await
    }

    async fn post_text(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        Answer::to(request.body(body)).await
    }

    /// The history of an incident as pairs of kind and reason.
    ///
    /// # Panics
    /// It cannot be read.
    pub async fn history(&self, id: &str) -> Vec<(String, Option<String>)> {
        let answer = self.get(&format!("/api/incidents/{id}/history")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let events = answer.body["events"].as_array().expect("events is an array");
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let pair =
            |event: &Value| (text(&event["kind"]).unwrap_or_default(), text(&event["cancellationReason"]));
        events.iter().map(pair).collect()
    }

    /// The kinds of events in the history of an incident.
    pub async fn kinds(&self, id: &str) -> Vec<String> {
        self.history(id).await.into_iter().map(|(kind, _)| kind).collect()
    }
}

impl Answer {
    /// Sends a request and reads all of the answer.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn to(request: RequestBuilder) -> Self {
        Self::try_to(request).await.expect("the server answers")
    }

    /// Sends a request and reads all of the answer.
    ///
    /// # Errors
    /// There is no answer.
    pub async fn try_to(request: RequestBuilder) -> reqwest::Result<Self> {
        Self::from(request.send().await?).await
    }

    pub(crate) async fn from(response: reqwest::Response) -> reqwest::Result<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Self { status, headers, text, body })
    }

    /// Status and outcome of a sync, or status and problem.
    pub fn said(&self) -> (u16, String) {
        let word = self.body["outcome"].as_str().unwrap_or_else(|| self.slug());
        (self.status, word.to_owned())
    }

    /// The slug of the problem; empty for none.
    pub fn slug(&self) -> &str {
        self.body["type"].as_str().unwrap_or_default().trim_start_matches("/problems/")
    }

    /// The `id` of the incident.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn id(&self) -> String {
        self.body["incident"]["id"].as_str().unwrap_or_else(|| panic!("no incident: {self:?}")).to_owned()
    }

    /// A header's only value; empty for none.
    ///
    /// # Panics
    /// The header is there more than once.
    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().map(|value| value.to_str().expect("headers are text").to_owned());
        assert_eq!(values.next(), None, "{name} is there twice");
        value.unwrap_or_default()
    }

    /// Pointers and codes of `errors`.
    pub fn errors(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(&error["pointer"]), text(&error["code"]))).collect()
    }
}
