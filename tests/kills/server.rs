//! The server: the real program, which is killed and started again on the same data and the same port.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use incident_server::{
    Clock,
    auth::{READ_SCOPE, TokenRequest, mint_hs256},
    secrets,
};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Failure;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A running server.
pub(crate) struct Server {
    process: Child,
    data: PathBuf,
    address: String,
    url: String,
}

impl Server {
    /// Starts the program that was built together with this one.
    pub(crate) async fn start(data: &Path, listen: &str) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?.with_file_name("incident-server"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INCIDENT_")) {
            command.env_remove(name);
        }
        command.args([
            "--listen",
            listen,
            "--log",
            "warn",
            "--rate-limit",
            "off",
            "--payload-rate-limit",
            "off",
        ]);
        command.arg("--data-dir").arg(data).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let first = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says nothing")?;
        let address = first.rsplit("http://").next().unwrap_or_default().trim().to_owned();
        Ok(Self { process, data: data.to_owned(), url: format!("http://{address}"), address })
    }

    /// Kills it as a power cut does, and starts another in its place.
    pub(crate) async fn kill_and_start(mut self) -> Result<Self, Failure> {
        self.process.kill().await?;
        Self::start(&self.data, &self.address).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A token for an app's owner.
    pub(crate) fn token(&self, sub: &str) -> String {
        self.token_with(sub, None)
    }

    fn token_with(&self, sub: &str, scope: Option<&str>) -> String {
        let secret = secrets::read(&self.data.join("hs256.secret")).expect("it was made at the start");
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl: DAY };
        mint_hs256(&secret, request, Clock::system().now())
    }

    /// Location and status of every incident.
    pub(crate) async fn stored(&self) -> Result<Vec<(String, String)>, Failure> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let token = self.token_with("responder", Some(READ_SCOPE));
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
