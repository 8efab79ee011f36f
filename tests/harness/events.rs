//! A stream of changes, read event by event.

use reqwest::{Method, header::ACCEPT};
use serde_json::Value;

use crate::{Answer, Client, PATIENCE};

/// A stream that is open.
pub struct Events {
    response: reqwest::Response,
    unread: String,
}

/// One event of it.
#[derive(Debug, PartialEq)]
pub struct Event {
    /// Its `id`: the cursor.
    pub id: String,
    /// Its `event`: the kind.
    pub kind: String,
    /// Its `data`: the change.
    pub change: Value,
}

impl Events {
    /// Opens one; `query` begins with a question mark or is empty.
    ///
    /// # Errors
    /// The answer, where the server refuses.
    ///
    /// # Panics
    /// There is no answer.
    pub async fn open(client: &Client, query: &str, last_event_id: Option<&str>) -> Result<Self, Answer> {
        let mut request = client.request(Method::GET, &format!("/api/incidents/changes{query}"));
        request = request.header(ACCEPT, "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("the server answers");
        match response.status().as_u16() {
            200 => Ok(Self { response, unread: String::new() }),
            _ => Err(Answer::from(response).await.expect("a whole answer")),
        }
    }

    /// The next event, comments passed over.
    ///
    /// # Panics
    /// The stream ends, or brings none in time.
    pub async fn next(&mut self) -> Event {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("an event in time")
    }

    /// Reads to the end of the stream; what comes before it is passed over.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn end(mut self) {
        let end = async { while self.response.chunk().await.is_ok_and(|bytes| bytes.is_some()) {} };
        tokio::time::timeout(PATIENCE, end).await.expect("the stream ends");
    }

    async fn read(&mut self) -> Event {
        loop {
            while let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event(block), rest.to_owned());
                self.unread = rest;
                if let Some(event) = event {
                    return event;
                }
            }
            let bytes = self.response.chunk().await.expect("an unbroken stream").expect("another event");
            self.unread.push_str(std::str::from_utf8(&bytes).expect("events are text"));
        }
    }
}

/// Nothing for a comment.
fn event(block: &str) -> Option<Event> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let change = serde_json::from_str(&field("data: ")?).expect("JSON on one line");
    Some(Event { id: field("id: ")?, kind: field("event: ")?, change })
}
