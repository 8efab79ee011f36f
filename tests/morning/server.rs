//! The server: the real program with its own limits, on a new database, on this machine.

use std::{net::SocketAddr, path::Path};

use incident_server::auth::READ_SCOPE;
use incident_tests::StartedServer;

use crate::Failure;

/// A running server.
pub(crate) struct Server(StartedServer);

impl Server {
    /// Starts it in this folder.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        Ok(Self(StartedServer::start(&folder.join("server"), "127.0.0.1:0", &[]).await?))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// A token for a phone's owner.
    pub(crate) fn token(&self, sub: &str) -> Result<String, Failure> {
        self.0.token(sub, None)
    }

    /// A token for somebody who may see every incident.
    pub(crate) fn reader_token(&self) -> Result<String, Failure> {
        self.0.token("responder", Some(READ_SCOPE))
    }

    /// The most memory that it took so far.
    pub(crate) fn most_memory_mib(&self) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.process_id()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// Ends it the way an operator does.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        self.0.stop().await
    }
}
