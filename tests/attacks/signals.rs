//! Signals that come at a bad moment.

use std::time::{Duration, Instant};

use incident_tests::{Answer, Link, Program, Server, Setup, payload, raw, until};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

#[tokio::test]
async fn a_second_signal_ends_a_drain_that_waits_for_a_slow_sender() {
    let mut server = Server::start().await;
    let head = raw::sync_head(&server, "alice", 100);
    // 100 Continue shows that the server has read the head and waits for the body.
    let head = head.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n");
    let mut sender = raw::send(&server, head).await;
    sender.readable().await.unwrap();
    server.run().terminate().await;
    let address = server.address().to_owned();
    until("no connection is taken any more", async || TcpStream::connect(&address).await.err()).await;
    let second = std::time::Instant::now();

    server.run().terminate().await;
    let status = server.run().end().await;

    assert_eq!(status.code(), Some(128 + 15), "{}", server.log());
    assert!(second.elapsed().as_secs() < 5, "the body's own deadline is 30 s");
    let mut said = String::new();
    let _ = sender.read_to_string(&mut said).await;
    assert!(!said.contains("HTTP/1.1 2"), "{said}");
}

/// A pipe that nobody writes into: who opens it to read waits for ever.
fn replace_by_a_pipe(file: &std::path::Path) {
    std::fs::remove_file(file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(file).status();
    assert!(made.is_ok_and(|made| made.success()), "mkfifo is there (coreutils)");
}

/// Twenty reports that wait for a database which does not answer.
fn reports(server: &Server) -> JoinSet<Answer> {
    let mut waiting = JoinSet::new();
    for number in 0..20 {
        let alice = server.client("alice");
        waiting.spawn(async move { alice.sync(&payload::numbered(number)).await });
    }
    waiting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_hangs_the_end_comes_within_35_seconds() {
    let setup = Setup::on_postgres().with_an_unread_log();
    let secret = setup.data_dir().join("another.secret");
    std::fs::write(&secret, "x".repeat(64)).unwrap();
    let link = Link::to(setup.database()).await;
    let setup = setup.flag("--auth-hs256-previous-secret-file", secret.to_str().unwrap());
    let mut server = setup.flag("--database-url", link.url()).start().await;
    assert_eq!(server.client("alice").sync(&payload::report()).await.status, 201);

    // The log, a file of keys, the database, the body of a request, an answer.
    let stranger = server.stranger();
    for _ in 0..1000 {
        stranger.get("/healthz").await;
    }
    replace_by_a_pipe(&secret);
    server.run().signal("HUP").await;
    link.hold_up();
    let reports = reports(&server);
    let _sender = raw::send(&server, raw::sync_head(&server, "bob", 100) + "{").await;
    let _reader =
        raw::send(&server, "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n".repeat(40)).await;
    until("the reports wait", async || (server.metric("incident_queue_depth").await == 20).then_some(()))
        .await;
    let signalled = Instant::now();
    server.run().terminate().await;

    let answers = reports.join_all().await;
    assert!(answers.iter().all(|answer| answer.status == 503), "{answers:?}");
    assert_eq!(server.run().end().await.code(), Some(0));
    assert!(signalled.elapsed() < Duration::from_secs(35), "{:?}", signalled.elapsed());
}

/// Fills the pipe of its standard output, which nobody reads, and then is the server.
const INTO_A_FULL_PIPE: &str =
    r#"mkfifo "$PIPE"; exec 3<>"$PIPE"; head -c 65536 /dev/zero >&3; exec "$SERVER" >&3"#;

#[tokio::test]
async fn a_standard_output_that_takes_nothing_keeps_no_server_from_serving_and_ending() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let server = Program::in_shell(INTO_A_FULL_PIPE).env("PIPE", &path("pipe"));
    let server = server.env("SERVER", Program::file().to_str().unwrap());
    let server = server.env("INCIDENT_DATA_DIR", &path("data")).env("INCIDENT_LISTEN", &free.to_string());

    let mut run = server.start();
    let mut peer = until("it listens", async || TcpStream::connect(free).await.ok()).await;
    peer.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    let answered = tokio::time::timeout(Duration::from_secs(5), peer.read_to_string(&mut answer)).await;
    run.terminate().await;
    let status = run.end().await;

    assert!(answered.is_ok() && answer.starts_with("HTTP/1.1 200"), "{answered:?}: {answer}");
    assert_eq!(status.code(), Some(0), "{}", run.log());
}
