//! PostgreSQL servers that a test may kill.

use std::{
    env,
    ffi::OsStr,
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

/// One server with a data directory of its own; gone with the value.
pub(crate) struct Cluster {
    directory: TempDir,
    pub(crate) port: u16,
}

impl Cluster {
    /// A new, empty server.
    pub(crate) fn start() -> Self {
        let cluster = Self::unstarted();
        let data = cluster.data();
        run(
            "initdb",
            ["-D", &data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
        );
        cluster.configure("listen_addresses = '127.0.0.1'\nfsync = on\n");
        cluster.resume();
        cluster
    }

    /// A standby of this server, for which nobody waits.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::unstarted();
        let from = format!("host=127.0.0.1 port={} user=postgres application_name=standby", self.port);
        run("pg_basebackup", ["-D", &standby.data(), "-d", &from, "-R", "-X", "stream", "-c", "fast"]);
        standby.configure("");
        standby.resume();
        standby
    }

    /// A standby of this server, which from now on waits for it with every commit.
    pub(crate) fn synchronous_standby(&self) -> Self {
        let standby = self.standby();
        self.configure("synchronous_standby_names = 'standby'\n");
        run("pg_ctl", ["-D", &self.data(), "-s", "reload"]);
        standby
    }

    fn unstarted() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        give(directory.path());
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self { directory, port: free.local_addr().expect("a port").port() }
    }

    /// Adds lines to the configuration; later ones win.
    pub(crate) fn configure(&self, lines: &str) {
        let file = Path::new(&self.data()).join("postgresql.conf");
        let before = fs::read_to_string(&file).expect("a configuration");
        let place = format!("port = {}\nunix_socket_directories = ''\n", self.port);
        fs::write(file, before + &place + lines).expect("written");
    }

    /// Starts a server that was stopped or killed, and waits until it answers. A killed server's memory is held
    /// until the last of its processes has noticed, so it may take a few attempts.
    #[expect(clippy::disallowed_methods, reason = "nothing tells when the kernel has given the memory back")]
    pub(crate) fn resume(&self) {
        let (data, log) = (self.data(), self.directory.path().join("log"));
        let log = log.to_str().expect("a path in UTF-8");
        let started = (0..50).any(|attempt| {
            sleep(Duration::from_millis(if attempt == 0 { 0 } else { 200 }));
            as_postgres("pg_ctl", ["-D", &data, "-l", log, "-w", "-s", "start"]).status.success()
        });
        assert!(started, "{}", fs::read_to_string(log).unwrap_or_default());
    }

    pub(crate) fn reload(&self) {
        run("pg_ctl", ["-D", &self.data(), "-s", "reload"]);
    }

    pub(crate) fn stop(&self) {
        run("pg_ctl", ["-D", &self.data(), "-m", "fast", "-w", "-s", "stop"]);
    }

    pub(crate) fn promote(&self) {
        run("pg_ctl", ["-D", &self.data(), "-w", "-s", "promote"]);
    }

    /// `kill -9` to the server and every process of it.
    pub(crate) fn kill(&self) {
        self.stop_starting_processes();
        self.signal("-9");
    }

    /// Stops every process of it where it is, as a frozen machine or disk does.
    pub(crate) fn freeze(&self) {
        self.stop_starting_processes();
        self.signal("-STOP");
    }

    /// Lets every process of it go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    /// One that is started while they are listed would be missed, and wait for ever for the memory of the others.
    fn stop_starting_processes(&self) {
        let postmaster = self.postmaster().expect("it runs");
        let _ = Command::new("kill").args(["-STOP", &postmaster]).output().expect("kill");
    }

    fn signal(&self, signal: &str) {
        let postmaster = self.postmaster().expect("it runs");
        let children = Command::new("ps").args(["--ppid", &postmaster, "-o", "pid="]).output().expect("ps");
        let children = String::from_utf8(children.stdout).expect("numbers");
        let all = std::iter::once(&*postmaster).chain(children.split_whitespace());
        // A process that has ended by itself meanwhile is no fault.
        let _ = Command::new("kill").arg(signal).args(all).output().expect("kill");
    }

    /// The process id of the server, if it runs. The file outlives a kill, and by then the number may be that of
    /// somebody else's process.
    fn postmaster(&self) -> Option<String> {
        let data = self.data();
        let pid =
            fs::read_to_string(Path::new(&data).join("postmaster.pid")).ok()?.lines().next()?.to_owned();
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        String::from_utf8_lossy(&command).split('\0').any(|word| word == data).then_some(pid)
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    fn data(&self) -> String {
        self.directory.path().join("data").to_str().expect("a path in UTF-8").to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.postmaster().is_some() {
            self.thaw();
            let _ = as_postgres("pg_ctl", ["-D", &self.data(), "-m", "immediate", "-s", "stop"]);
        }
    }
}

/// Makes a file readable for the user of PostgreSQL.
pub(crate) fn give(path: &Path) {
    if is_root() {
        let owner = Command::new("chown").args(["-R", &user()]).arg(path).status();
        assert!(owner.expect("chown").success(), "the directory is given to the user of PostgreSQL");
    }
}

/// A command that does not run as root.
pub(crate) fn unprivileged(program: &Path) -> Command {
    if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", &user(), "--"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

fn run<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) {
    let output = as_postgres(program, arguments);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// PostgreSQL refuses to run as root.
fn as_postgres<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Output {
    let program = bin().join(program);
    let mut command = unprivileged(&program);
    // Files, not pipes: the server inherits them and would keep a pipe open.
    let said = tempfile::NamedTempFile::new().expect("a file");
    let to = || said.reopen().expect("a file");
    let status = command
        .args(arguments)
        .stdout(to())
        .stderr(to())
        .current_dir("/")
        .status()
        .expect("PostgreSQL is installed");
    Output { status, stdout: Vec::new(), stderr: fs::read(said.path()).expect("what it said") }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id");
    id.stdout.starts_with(b"0\n")
}

fn user() -> String {
    env::var("INCIDENT_TEST_POSTGRES_USER").unwrap_or_else(|_| "postgres".to_owned())
}

/// The newest version that Debian installed, unless told otherwise.
fn bin() -> PathBuf {
    if let Ok(named) = env::var("INCIDENT_TEST_POSTGRES_BIN") {
        return named.into();
    }
    let versions =
        fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest =
        versions.max_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    newest.expect("PostgreSQL is installed (apt-get install postgresql)").join("bin")
}
