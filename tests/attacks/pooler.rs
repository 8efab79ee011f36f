//! A `PgBouncer` of the test's own, with its defaults.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

use super::cluster::{Cluster, give, unprivileged};

/// Forwards to one server; gone with the value.
pub(crate) struct Pooler {
    directory: TempDir,
    port: u16,
}

impl Pooler {
    /// Only says where the server is, where to listen and whom to let in; all else is as it comes.
    pub(crate) fn to(cluster: &Cluster) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("a port").port();
        drop(free);
        let directory = tempfile::tempdir().expect("a directory");
        let place = directory.path().display();
        let users = directory.path().join("users.txt");
        let settings = format!(
            "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\nlogfile = {place}/log\npidfile = {place}/pid\n",
            cluster.port,
            users.display(),
        );
        fs::write(&users, "\"postgres\" \"\"\n").expect("written");
        let file = directory.path().join("pgbouncer.ini");
        fs::write(&file, settings).expect("written");
        give(directory.path());
        let mut started = unprivileged(Path::new("/usr/sbin/pgbouncer"));
        let status = started.args(["-q", "-d"]).arg(file).status();
        assert!(status.expect("PgBouncer is installed (apt-get install pgbouncer)").success(), "it starts");
        let answers = (0..100).any(|attempt| {
            sleep(Duration::from_millis(if attempt == 0 { 0 } else { 50 }));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        let log = directory.path().join("log");
        assert!(answers, "{}", fs::read_to_string(log).unwrap_or_default());
        Self { directory, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        if let Ok(pid) = fs::read_to_string(self.directory.path().join("pid")) {
            let _ = Command::new("kill").arg(pid.trim()).status();
        }
    }
}
