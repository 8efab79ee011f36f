//! The program under test: found beside the test, started, listened to, ended.

use std::{
    path::PathBuf,
    process::{ExitStatus, Output, Stdio},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::{Child, ChildStderr, Command},
    task::JoinHandle,
};

use crate::{Database, PATIENCE};

/// A command line of `incident-server`, without the variables of whoever runs the tests.
pub struct Program {
    command: Command,
    log_is_read: bool,
}

/// The program while it runs, and what it has said so far.
pub struct Run {
    child: Child,
    out: Said,
    err: Said,
    /// A log that nobody reads is open as long as the program runs.
    _unread: Option<ChildStderr>,
}

/// The lines of one stream.
struct Said {
    lines: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Program {
    /// The real binary, built in the same profile as this test.
    ///
    /// # Panics
    /// It is not there.
    pub fn new() -> Self {
        Self::with_nobodys_variables(Command::new(Self::file()))
    }

    /// Where the real binary is.
    ///
    /// # Panics
    /// It is not there.
    #[track_caller]
    pub fn file() -> PathBuf {
        let file = directory().join("incident-server");
        assert!(
            file.exists(),
            "{} is missing: run `cargo build --release --workspace` first",
            file.display()
        );
        file
    }

    /// The real binary, which may have this many files open.
    pub fn with_files(files: u32) -> Self {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={files}:{files}")).arg(Self::file());
        Self::with_nobodys_variables(command)
    }

    /// A command line for a shell.
    pub fn in_shell(line: &str) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", line]);
        Self::with_nobodys_variables(shell)
    }

    fn with_nobodys_variables(mut command: Command) -> Self {
        let ours = std::env::vars_os().map(|(name, _)| name).filter(|name| {
            let name = name.to_string_lossy().to_ascii_uppercase();
            name.starts_with("INCIDENT_") || name.ends_with("_PROXY")
        });
        for name in ours {
            command.env_remove(name);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self { command, log_is_read: true }
    }

    /// Adds flags.
    #[must_use]
    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Says which database to use, unless a flag says otherwise.
    #[must_use]
    pub fn database(self, database: &Database) -> Self {
        match database.url() {
            Some(url) => self.env("INCIDENT_DATABASE_URL", url),
            None => self,
        }
    }

    /// Gives it a log that takes no byte, as on a full disk.
    ///
    /// # Panics
    /// There is no `/dev/full`.
    #[must_use]
    #[track_caller]
    pub fn without_room_for_its_log(mut self) -> Self {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
        self.command.stderr(full.expect("/dev/full is there (Linux)"));
        self
    }

    /// Lets nobody read its log, which is a pipe all the same.
    #[must_use]
    pub fn with_an_unread_log(self) -> Self {
        Self { log_is_read: false, ..self }
    }

    /// Runs to its end.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn output(mut self) -> Output {
        let output = tokio::time::timeout(PATIENCE, self.command.output()).await;
        output.expect("the program ends").expect("the program starts")
    }

    /// Starts it and goes on.
    ///
    /// # Panics
    /// It cannot be started.
    #[track_caller]
    pub fn start(mut self) -> Run {
        let mut child = self.command.spawn().expect("the program starts");
        let out = Said::hear(child.stdout.take().expect("stdout is piped"));
        let unread = if self.log_is_read { None } else { child.stderr.take() };
        let err = child.stderr.take().map_or_else(|| Said::hear(tokio::io::empty()), Said::hear);
        Run { child, out, err, _unread: unread }
    }
}

/// Where the test was built: target/release/deps/e2e-… -> target/release
fn directory() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    test.ancestors().nth(2).expect("a test is built in target/release/deps").to_owned()
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Said {
    fn hear(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let lines = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                let mut heard = heard.lock().expect("no reader panics");
                heard.push_str(&line);
                heard.push('\n');
            }
        });
        Self { lines, reader }
    }

    fn text(&self) -> String {
        self.lines.lock().expect("no reader panics").clone()
    }
}

impl Run {
    /// What it has printed for people so far.
    pub fn out(&self) -> String {
        self.out.text()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.err.text()
    }

    /// The exit status, if it has ended.
    ///
    /// # Panics
    /// It cannot be asked.
    #[track_caller]
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be asked")
    }

    /// Ends it as a power cut does.
    ///
    /// # Panics
    /// It cannot be killed.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a child can be killed");
    }

    /// Sends SIGTERM and goes on.
    ///
    /// # Panics
    /// The signal cannot be sent.
    pub async fn terminate(&self) {
        self.signal("TERM").await;
    }

    /// Sends a signal, such as `HUP`.
    ///
    /// # Panics
    /// The signal cannot be sent.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it still runs").to_string();
        let sent = Command::new("bash").args(["-c", "kill -\"$0\" \"$1\"", name, &id]).status().await;
        assert!(sent.expect("bash is there").success(), "SIG{name} is sent");
    }

    /// The most memory it has had resident so far, in bytes.
    ///
    /// # Panics
    /// The system does not say (Linux does).
    #[track_caller]
    pub fn memory_peak(&self) -> u64 {
        let id = self.child.id().expect("it still runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("/proc is there (Linux)");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse::<u64>().ok());
        kib.expect("a peak in kB") * 1024
    }

    /// Sets how long the files that it writes may get, as a full disk would: in bytes, or `unlimited`.
    ///
    /// # Panics
    /// It cannot be set.
    pub async fn limit_files(&self, bytes: &str) {
        let id = self.child.id().expect("it still runs").to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let set = Command::new("prlimit").args(["--pid", &id, &limit]).status().await;
        assert!(set.expect("prlimit is there (util-linux)").success(), "the limit is set");
    }

    /// Waits for its end, and until all it said is heard.
    ///
    /// # Panics
    /// It does not end in time.
    pub async fn end(&mut self) -> ExitStatus {
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await.expect("the program ends");
        for said in [&mut self.out, &mut self.err] {
            let _ = (&mut said.reader).await;
        }
        status.expect("a child can be waited for")
    }
}
