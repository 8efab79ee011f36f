//! `PgBouncer` between server and database, in its default mode and with the settings that Debian ships.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
};

use incident_tests::{Events, payload, until};
use tempfile::TempDir;

use super::{
    cluster::{Cluster, give, unprivileged},
    clusters,
};

/// Forwards to one server; gone with the value.
struct Pooler {
    directory: TempDir,
    port: u16,
}

impl Pooler {
    /// Only says where the server is, where to listen and whom to let in; all else is as it comes.
    async fn to(cluster: &Cluster) -> Self {
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
        until("it answers", async || TcpStream::connect(("127.0.0.1", port)).ok()).await;
        Self { directory, port }
    }

    fn url(&self) -> String {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_behind_pgbouncer_with_its_defaults_write_read_and_follow() {
    let cluster = Cluster::start();
    let pooler = Pooler::to(&cluster).await;
    let setup = clusters::on(&pooler.url());
    let (one, other) = (setup.clone().start().await, clusters::beside(&setup, &pooler.url()).start().await);
    let mut events = Events::open(&other.responder(), "?after=latest", None).await.ok().unwrap();

    let created = one.client("alice").sync(&payload::report()).await;
    let cancelled = other.client("alice").sync(&payload::cancelled(payload::report(), "off")).await;

    assert_eq!((created.said(), cancelled.said()), ((201, "created".into()), (200, "cancelled".into())));
    let kinds = [events.next().await.kind, events.next().await.kind];
    assert_eq!(kinds, ["created", "cancelled"], "the other server is told");
    for server in [one, other] {
        assert_eq!(server.client("alice").get(&created.header("location")).await.body["status"], "Cancelled");
        assert_eq!(server.get("/readyz").await.status, 200);
        assert!(server.stop().await.0.success());
    }
}
