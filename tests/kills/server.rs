//! The server: the real program, which is killed and started again on the same data and the same port.

use std::path::Path;

use incident_server::auth::READ_SCOPE;
use incident_tests::StartedServer;
use serde_json::Value;

use crate::Failure;

/// A running server.
pub(crate) struct Server {
    started: StartedServer,
    url: String,
}

impl Server {
    /// Starts it without limits for one identity.
    pub(crate) async fn start(data: &Path, listen: &str) -> Result<Self, Failure> {
        let unlimited = ["--rate-limit", "off", "--payload-rate-limit", "off"];
        let started = StartedServer::start(data, listen, &unlimited).await?;
        Ok(Self { url: format!("http://{}", started.address()), started })
    }

    /// Kills it as a power cut does, and starts another in its place.
    pub(crate) async fn kill_and_start(self) -> Result<Self, Failure> {
        let address = self.started.address().to_string();
        Self::start(&self.started.kill().await?, &address).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A token for an app's owner.
    pub(crate) fn token(&self, sub: &str) -> Result<String, Failure> {
        self.started.token(sub, None)
    }

    /// Location and status of every incident.
    pub(crate) async fn stored(&self) -> Result<Vec<(String, String)>, Failure> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let token = self.started.token("responder", Some(READ_SCOPE))?;
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let url = format!("{}/api/incidents?limit=200{cursor}", self.url);
            let answer = client.get(url).bearer_auth(&token).send().await?.error_for_status()?;
            let page: Value = answer.json().await?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let incidents = page["incidents"].as_array().ok_or("a page without incidents")?;
            all.extend(incidents.iter().map(|each| (text(&each["locationId"]), text(&each["status"]))));
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }
}
