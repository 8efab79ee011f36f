//! A running server on its own data directory.

use std::{
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
    time::{Duration, Instant},
};

use incident_server::{
    Clock,
    auth::{TokenRequest, mint_hs256},
};
use tempfile::TempDir;

use crate::{Answer, Client, Database, PATIENCE, Program, Run, until};

/// How a server is started.
#[derive(Clone)]
pub struct Setup {
    data_dir: Arc<TempDir>,
    database: Arc<Database>,
    flags: Vec<String>,
    variables: Vec<(&'static str, String)>,
    log: Log,
    files: Option<u32>,
}

/// What becomes of what a server logs.
#[derive(Clone, Copy)]
enum Log {
    Read,
    Full,
    Unread,
}

/// A server that listens.
pub struct Server {
    setup: Setup,
    run: Run,
    url: String,
}

impl Setup {
    /// A new data directory, a new database of the kind that this run is about, the defaults of the program.
    pub fn new() -> Self {
        Self::on(Database::chosen)
    }

    /// On SQLite in any run, for what only a file does.
    pub fn on_sqlite() -> Self {
        Self::on(Database::Sqlite)
    }

    /// On PostgreSQL in any run, for what only a server does.
    pub fn on_postgres() -> Self {
        Self::on(|_| Database::postgres())
    }

    /// The directory has a name that a shell would not take for one word.
    fn on(database: impl FnOnce(PathBuf) -> Database) -> Self {
        let data_dir = TempDir::with_prefix("the tests' data ").expect("a temporary directory can be made");
        let database = Arc::new(database(data_dir.path().to_owned()));
        if database.url().is_some() {
            // No server makes an id secret for a database that others may use.
            incident_server::secrets::read_or_make(&data_dir.path().join("id.secret")).expect("a secret");
        }
        let (data_dir, flags, variables) = (Arc::new(data_dir), Vec::new(), Vec::new());
        Self { data_dir, database, flags, variables, log: Log::Read, files: None }
    }

    /// Adds a flag and its value.
    #[must_use]
    pub fn flag(mut self, name: &str, value: impl Into<String>) -> Self {
        self.flags.extend([name.to_owned(), value.into()]);
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: &str) -> Self {
        self.variables.push((name, value.to_owned()));
        self
    }

    /// Lets every attempt to log fail, as on a full disk.
    #[must_use]
    pub fn without_room_for_its_log(self) -> Self {
        Self { log: Log::Full, ..self }
    }

    /// Lets nobody read the pipe that the log is written to.
    #[must_use]
    pub fn with_an_unread_log(self) -> Self {
        Self { log: Log::Unread, ..self }
    }

    /// Lets it have this many files open, connections among them.
    #[must_use]
    pub fn files(self, files: u32) -> Self {
        Self { files: Some(files), ..self }
    }

    /// The directory of the generated secrets and the embedded database.
    pub fn data_dir(&self) -> &Path {
        self.data_dir.path()
    }

    /// Where the incidents are.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The program with these flags, on any free port, not started.
    pub fn program(&self) -> Program {
        let data_dir = self.data_dir().as_os_str();
        let program = self.files.map_or_else(Program::new, Program::with_files);
        let program = program.args(["--listen", "127.0.0.1:0", "--data-dir"]).args([data_dir]);
        let program = program.database(&self.database).args(&self.flags).env("INCIDENT_LOG", "debug");
        let program = self.variables.iter().fold(program, |program, (name, value)| program.env(name, value));
        match self.log {
            Log::Read => program,
            Log::Full => program.without_room_for_its_log(),
            Log::Unread => program.with_an_unread_log(),
        }
    }

    /// Starts a server and waits until it has said where it listens.
    ///
    /// # Panics
    /// It ends instead; its log is shown.
    pub async fn start(self) -> Server {
        let mut run = self.program().start();
        let url = until("the server listens", async || {
            assert!(run.ended().is_none(), "the server ended: {}", run.log());
            let out = run.out();
            let url = out.lines().find_map(|line| line.split_once("listens on "))?.1.trim().to_owned();
            Some(url)
        })
        .await;
        Server { setup: self, run, url }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self::new()
    }
}

impl Server {
    /// Starts a server with the defaults.
    pub async fn start() -> Self {
        Setup::new().start().await
    }

    /// Starts a server that lets everybody ask as often as they like.
    pub async fn unlimited() -> Self {
        Setup::new().flag("--rate-limit", "off").flag("--payload-rate-limit", "off").start().await
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `127.0.0.1:…`
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Where its secrets are.
    pub fn data_dir(&self) -> PathBuf {
        self.setup.data_dir().to_owned()
    }

    /// Where its incidents are.
    pub fn database(&self) -> &Database {
        self.setup.database()
    }

    /// The running program.
    pub fn run(&mut self) -> &mut Run {
        &mut self.run
    }

    /// What it has logged so far. A thread of its own writes the log: a line comes behind the answer that it is about.
    pub fn log(&self) -> String {
        self.run.log()
    }

    /// Waits until this stands in the log.
    ///
    /// # Panics
    /// It did not come in time.
    pub async fn logs(&self, words: &str) {
        let started = Instant::now();
        while !self.log().contains(words) {
            assert!(started.elapsed() < PATIENCE, "«{words}» is not logged: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Somebody without the right to read the incidents of others.
    pub fn client(&self, sub: &str) -> Client {
        Client::new(&self.url, Some(self.token(sub, None)))
    }

    /// Somebody who may read all.
    pub fn responder(&self) -> Client {
        Client::new(&self.url, Some(self.token("responder", Some("incidents:read"))))
    }

    /// Somebody who may erase.
    pub fn eraser(&self) -> Client {
        Client::new(&self.url, Some(self.token("data-protection", Some("incidents:erase"))))
    }

    /// Somebody without a token.
    pub fn stranger(&self) -> Client {
        Client::new(&self.url, None)
    }

    /// A token under the generated secret.
    ///
    /// # Panics
    /// There is no generated secret.
    pub fn token(&self, sub: &str, scope: Option<&str>) -> String {
        let hour = Duration::from_secs(3600);
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl: hour };
        mint_hs256(&self.secret(), request, Clock::system().now())
    }

    /// The generated secret of HS256 tokens.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn secret(&self) -> Vec<u8> {
        incident_server::secrets::read(&self.setup.data_dir().join("hs256.secret"))
            .expect("made at the start")
    }

    /// Ends it as a power cut does, and starts it again on the same data.
    pub async fn kill_and_restart(mut self) -> Self {
        self.run.kill().await;
        self.setup.start().await
    }

    /// Sends SIGTERM and waits for its end; returns the exit status and all it logged.
    pub async fn stop(mut self) -> (ExitStatus, String) {
        self.run.terminate().await;
        let status = self.run.end().await;
        (status, self.run.log())
    }

    /// The figure of a metric, with its labels as they are written; 0 as long as there is none.
    ///
    /// # Panics
    /// It is no whole number.
    pub async fn metric(&self, name: &str) -> u64 {
        let metrics = self.get("/metrics").await.text;
        let figure = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        figure.map_or(0, |figure| figure.parse().expect("a whole number"))
    }

    /// Asks without a token.
    pub async fn get(&self, path: &str) -> Answer {
        self.stranger().get(path).await
    }
}
