//! The server under measurement: the real program, as a user starts it.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::Failure;

/// A running server and what is needed to send to it.
pub(crate) struct Subject {
    process: Child,
    url: String,
    token: String,
    /// From starting the process to the first ready answer.
    pub(crate) ready_after: Duration,
}

impl Subject {
    /// Starts the server on a data directory, with further flags, and waits until it is ready.
    pub(crate) async fn start(data_dir: &Path, flags: &[&str]) -> Result<Self, Failure> {
        let started = Instant::now();
        let mut process = server(data_dir)
            .args(["--listen", "127.0.0.1:0", "--rate-limit", "off", "--payload-rate-limit", "off"])
            .args(flags)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let first = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says nothing")?;
        let url = first.split_whitespace().last().unwrap_or_default().to_owned();
        while !reqwest::get(format!("{url}/readyz")).await.is_ok_and(|answer| answer.status().is_success()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let ready_after = started.elapsed();
        let token = server(data_dir).args(["token", "--sub", "alice", "--ttl", "1day"]).output().await?;
        Ok(Self { process, url, token: String::from_utf8(token.stdout)?.trim().to_owned(), ready_after })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Alice's token under the secret that it made, if it made one.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A line of `/proc/<pid>/status`, in MiB: `VmRSS` for now, `VmHWM` for the most so far.
    pub(crate) fn memory_mib(&self, line: &str) -> Result<f64, Failure> {
        let pid = self.process.id().ok_or("the server is gone")?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let found = status.lines().find_map(|text| text.strip_prefix(line)?.split_whitespace().next());
        Ok(found.ok_or("no such line")?.parse::<f64>()? / 1024.0)
    }

    /// Ends it the way an operator does.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        let pid = self.process.id().ok_or("the server is gone")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        self.process.wait().await?;
        Ok(())
    }
}

fn server(data_dir: &Path) -> Command {
    let mut command = Command::new(binary());
    command.arg("--data-dir").arg(data_dir);
    // The benchmark's own variables are no settings of the server.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("INCIDENT_")) {
        command.env_remove(name);
    }
    command
}

/// The program that was built together with this one.
pub(crate) fn binary() -> PathBuf {
    std::env::current_exe().unwrap_or_default().with_file_name("incident-server")
}
