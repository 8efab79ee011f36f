//! The server: the real program, which is killed and started again on the same data and the same port.

use std::path::Path;

use incident_server::secrets;
use incident_tests::StartedServer;

use crate::Failure;

/// No limits for one identity, and no log of what is meant to happen.
const FLAGS: [&str; 6] = ["--rate-limit", "off", "--payload-rate-limit", "off", "--log", "off"];

/// A running server.
pub(crate) struct Server {
    started: StartedServer,
    url: String,
    flags: Vec<String>,
}

impl Server {
    /// One on SQLite.
    pub(crate) async fn start(data: &Path) -> Result<Self, Failure> {
        Self::start_at(data, "127.0.0.1:0", Vec::new()).await
    }

    /// One on these databases: where it writes, and where it may read.
    pub(crate) async fn start_on(
        data: &Path,
        database: &str,
        read_database: Option<&str>,
    ) -> Result<Self, Failure> {
        // No server makes a secret for a database that others may use.
        std::fs::create_dir_all(data)?;
        secrets::read_or_make(&data.join("id.secret"))?;
        let mut flags = vec!["--database-url", database];
        flags.extend(read_database.into_iter().flat_map(|url| ["--read-database-url", url]));
        let flags = flags.into_iter().map(ToOwned::to_owned).collect();
        Self::start_at(data, "127.0.0.1:0", flags).await
    }

    /// Another one like this, with the same secrets.
    pub(crate) async fn beside(&self, data: &Path, of: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(data)?;
        for secret in ["id.secret", "hs256.secret"] {
            std::fs::copy(of.join(secret), data.join(secret))?;
        }
        Self::start_at(data, "127.0.0.1:0", self.flags.clone()).await
    }

    async fn start_at(data: &Path, listen: &str, flags: Vec<String>) -> Result<Self, Failure> {
        let all: Vec<_> = FLAGS.into_iter().chain(flags.iter().map(String::as_str)).collect();
        let started = StartedServer::start(data, listen, &all).await?;
        Ok(Self { url: format!("http://{}", started.address()), started, flags })
    }

    /// Kills it as a power cut does, and starts another in its place.
    pub(crate) async fn kill_and_start(self) -> Result<Self, Failure> {
        let (address, flags) = (self.started.address().to_string(), self.flags);
        Self::start_at(&self.started.kill().await?, &address, flags).await
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A token for somebody.
    pub(crate) fn token(&self, sub: &str, scope: Option<&str>) -> Result<String, Failure> {
        self.started.token(sub, scope)
    }
}
