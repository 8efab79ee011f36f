//! The server: the real program with its own limits, on a new database, on this machine.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use incident_server::{
    Clock,
    auth::{READ_SCOPE, TokenRequest, mint_hs256},
    secrets,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Failure;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A running server.
pub(crate) struct Server {
    process: Child,
    address: SocketAddr,
    secret: Vec<u8>,
}

impl Server {
    /// Starts the program that was built together with this one.
    pub(crate) async fn start(folder: &Path) -> Result<Self, Failure> {
        let data_dir = folder.join("server");
        let mut command = Command::new(binary()?);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INCIDENT_")) {
            command.env_remove(name);
        }
        command.args(["--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"]).arg(&data_dir);
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let first = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says nothing")?;
        let address = first.rsplit("http://").next().unwrap_or_default().trim().parse()?;
        let secret = secrets::read(&data_dir.join("hs256.secret"))?;
        Ok(Self { process, address, secret })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A token for a phone's owner.
    pub(crate) fn token(&self, sub: &str) -> String {
        self.token_with(sub, None)
    }

    /// A token for somebody who may see every incident.
    pub(crate) fn reader_token(&self) -> String {
        self.token_with("responder", Some(READ_SCOPE))
    }

    fn token_with(&self, sub: &str, scope: Option<&str>) -> String {
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl: DAY };
        mint_hs256(&self.secret, request, Clock::system().now())
    }

    /// The most memory that it took so far.
    pub(crate) fn most_memory_mib(&self) -> Result<f64, Failure> {
        let pid = self.process.id().ok_or("the server is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    /// Ends it the way an operator does.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.process.id().ok_or("the server is gone")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        self.process.wait().await?;
        Ok(())
    }
}

fn binary() -> Result<PathBuf, Failure> {
    let binary = std::env::current_exe()?.with_file_name("incident-server");
    if binary.exists() {
        Ok(binary)
    } else {
        Err(format!("{} is missing: cargo build --release --workspace", binary.display()).into())
    }
}
