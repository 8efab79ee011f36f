//! A phone's network, and what is wrong with it.

use std::time::Duration;

use incident_mobile_ffi::outbox::{Header, NetworkFailureKind, Upload, UploadResult};
use reqwest::{Client, header::HeaderMap};
use tokio::runtime::Handle;

/// How the network is at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connectivity {
    /// It works.
    Online,
    /// Nothing goes out.
    Offline,
    /// What goes out arrives, and no answer comes back.
    LosesAnswers,
}

/// What became of an upload on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// It went there, and the answer came back.
    ThereAndBack,
    /// It went there, and the answer was lost.
    AnswerLost,
    /// It did not go.
    NotThere,
}

/// A way to the server, for a phone that runs on a thread of its own.
pub(crate) struct Network {
    pub(crate) connectivity: Connectivity,
    client: Client,
    runtime: Handle,
    url: String,
    token: String,
}

impl Network {
    /// A network that works, to the server at `url`; needs a Tokio runtime.
    pub(crate) fn new(runtime: Handle, url: &str, token: String) -> reqwest::Result<Self> {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { connectivity: Connectivity::Online, client, runtime, url: url.to_owned(), token })
    }

    /// Sends an upload as the connectivity allows, and says what the phone gets to see of it.
    pub(crate) fn send(&self, upload: &Upload) -> (Way, UploadResult) {
        if self.connectivity == Connectivity::Offline {
            return (Way::NotThere, no_answer(false));
        }
        match self.runtime.block_on(self.post(upload)) {
            Err(_) => (Way::NotThere, no_answer(false)),
            Ok(_) if self.connectivity == Connectivity::LosesAnswers => (Way::AnswerLost, no_answer(true)),
            Ok(answer) => (Way::ThereAndBack, answer),
        }
    }

    async fn post(&self, upload: &Upload) -> reqwest::Result<UploadResult> {
        let timeout = Duration::from_millis(upload.timeout_ms.unsigned_abs());
        let mut request = self.client.post(format!("{}{}", self.url, upload.path)).timeout(timeout);
        for Header { name, value } in &upload.headers {
            request = request.header(name, value);
        }
        let answer = request.bearer_auth(&self.token).body(upload.body.clone()).send().await?;
        Ok(UploadResult::Response {
            status: answer.status().as_u16().into(),
            headers: headers(answer.headers()),
            body: answer.bytes().await?.to_vec(),
        })
    }
}

fn headers(map: &HeaderMap) -> Vec<Header> {
    let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
        Some(Header { name: name.to_string(), value: value.to_str().ok()?.to_owned() })
    };
    map.iter().filter_map(header).collect()
}

fn no_answer(sent: bool) -> UploadResult {
    UploadResult::NetworkFailure { kind: NetworkFailureKind::Offline, detail: String::new(), sent }
}
