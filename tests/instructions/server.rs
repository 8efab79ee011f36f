//! The server under valgrind, as alike in every run as it can be: one worker, the same secrets, a new database.

use std::{fs, path::PathBuf, process::Stdio, time::Duration};

use incident_server::{
    Clock,
    auth::{TokenRequest, mint_hs256},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::Failure;

const SECRET: &str = "a secret that only this count knows";
const HOUR: Duration = Duration::from_secs(3600);

/// A server whose instructions are counted.
pub(crate) struct Server {
    folder: TempDir,
    process: Child,
    /// Open until the end, for the server may say more.
    _said: Lines<BufReader<ChildStdout>>,
    url: String,
}

impl Server {
    pub(crate) async fn start() -> Result<Self, Failure> {
        let folder = TempDir::with_prefix("incident-instructions-")?;
        let data_dir = folder.path().join("data");
        fs::create_dir(&data_dir)?;
        for name in ["hs256.secret", "id.secret"] {
            fs::write(data_dir.join(name), SECRET)?;
            fs::set_permissions(data_dir.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        }
        let mut command = Command::new("valgrind");
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INCIDENT_")) {
            command.env_remove(name);
        }
        let mut process = command
            .args(["--quiet", "--tool=callgrind"])
            .arg(format!("--callgrind-out-file={}", folder.path().join("count").display()))
            .arg(binary()?)
            .args(["--listen", "127.0.0.1:0", "--log", "warn", "--data-dir"])
            .arg(&data_dir)
            .args(["--rate-limit", "off", "--payload-rate-limit", "off", "--shutdown-delay", "0s"])
            .env("TOKIO_WORKER_THREADS", "1")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|_| "valgrind is missing; install the package valgrind")?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let mut said = BufReader::new(stdout).lines();
        let first = said.next_line().await?.ok_or("the server does not start under valgrind")?;
        let url = first.split_whitespace().last().unwrap_or_default().to_owned();
        Ok(Self { folder, process, _said: said, url })
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A token that every such server takes.
    pub(crate) fn token(sub: &str) -> String {
        let request = TokenRequest { sub, scope: None, issuer: None, audience: None, ttl: HOUR };
        mint_hs256(SECRET.as_bytes(), request, Clock::system().now())
    }

    /// Ends it, and returns how many instructions it took from its start on.
    pub(crate) async fn stop(mut self) -> Result<u64, Failure> {
        let pid = self.process.id().ok_or("the server is gone")?.to_string();
        Command::new("kill").args(["-TERM", &pid]).status().await?;
        let status = self.process.wait().await?;
        if !status.success() {
            return Err(format!("the server ended with {status}").into());
        }
        let count = fs::read_to_string(self.folder.path().join("count"))?;
        let total = count.lines().find_map(|line| line.strip_prefix("totals: "));
        Ok(total.ok_or("callgrind has not counted")?.trim().parse()?)
    }
}

/// The program that was built together with this one, or the one that `INCIDENT_SERVER_BIN` names.
fn binary() -> Result<PathBuf, Failure> {
    let binary = match std::env::var_os("INCIDENT_SERVER_BIN") {
        Some(path) => path.into(),
        None => std::env::current_exe()?.with_file_name("incident-server"),
    };
    if binary.exists() {
        Ok(binary)
    } else {
        Err(format!("{} is missing: cargo build --release --workspace", binary.display()).into())
    }
}
