//! The real program on a data directory, for programs that are no tests: what goes wrong is an error and no panic.

use std::{
    error::Error,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use incident_server::{
    Clock,
    auth::{TokenRequest, mint_hs256},
    secrets,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

type Failure = Box<dyn Error + Send + Sync>;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A server that was started and listens.
pub struct StartedServer {
    process: Child,
    data_dir: PathBuf,
    address: SocketAddr,
}

impl StartedServer {
    /// Starts the program that was built together with this one, without the variables of whoever runs it. It logs
    /// warnings unless the flags say otherwise.
    ///
    /// # Errors
    /// It is not there, or ends instead of listening.
    pub async fn start(data_dir: &Path, listen: &str, flags: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(binary()?);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INCIDENT_")) {
            command.env_remove(name);
        }
        let log: &[_] = if flags.contains(&"--log") { &[] } else { &["--log", "warn"] };
        command.args(["--listen", listen, "--data-dir"]).arg(data_dir).args(log).args(flags);
        let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = process.stdout.take().ok_or("the server has no output")?;
        let first = BufReader::new(stdout).lines().next_line().await?.ok_or("the server says nothing")?;
        let address = first.rsplit("http://").next().unwrap_or_default().trim().parse()?;
        Ok(Self { process, data_dir: data_dir.to_owned(), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A token of a day under its own secret.
    ///
    /// # Errors
    /// It has no such secret.
    pub fn token(&self, sub: &str, scope: Option<&str>) -> Result<String, Failure> {
        let secret = secrets::read(&self.data_dir.join("hs256.secret"))?;
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl: DAY };
        Ok(mint_hs256(&secret, request, Clock::system().now()))
    }

    /// The number of its process.
    ///
    /// # Errors
    /// It has ended.
    pub fn process_id(&self) -> Result<u32, Failure> {
        Ok(self.process.id().ok_or("the server is gone")?)
    }

    /// Kills it as a power cut does.
    ///
    /// # Errors
    /// It cannot be killed.
    pub async fn kill(mut self) -> Result<PathBuf, Failure> {
        self.process.kill().await?;
        Ok(self.data_dir)
    }

    /// Ends it the way an operator does.
    ///
    /// # Errors
    /// It cannot be told to.
    pub async fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").args(["-TERM", &self.process_id()?.to_string()]).status().await?;
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
