//! Changes as a stream of events.

use std::time::Duration;

use incident_core::Timestamp;
use incident_server::Clock;
use serde_json::Value;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep, timeout},
};

use crate::support::{
    database::TestDatabase,
    report::{report, sync},
    server::{Server, reader, token_until},
};

/// A stream of events, read line by line.
struct Events {
    answer: reqwest::Response,
    unread: String,
}

/// One event.
#[derive(Debug, PartialEq)]
struct Event {
    id: String,
    kind: String,
    change: Value,
}

impl Events {
    async fn open(server: &Server, query: &str, token: &str, last_event_id: Option<&str>) -> Self {
        let mut request = server
            .get(&format!("/api/incidents/changes{query}"), token)
            .header("Accept", "text/event-stream");
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let answer = request.send().await.expect("an answer").error_for_status().expect("a stream");
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, unread: String::new() }
    }

    /// The next block of lines; `None` at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(block);
            }
            let chunk = self.answer.chunk().await.expect("an unbroken stream")?;
            self.unread.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    async fn event(&mut self) -> Event {
        let block = loop {
            let block = self.block().await.expect("another event");
            if !block.starts_with(':') {
                break block;
            }
        };
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).expect(name).to_owned();
        let change = serde_json::from_str(&field("data: ")).expect("JSON on one line");
        Event { id: field("id: "), kind: field("event: "), change }
    }

    /// Reads to the end and says how many events there were.
    async fn rest(&mut self) -> i64 {
        let mut count = 0;
        while let Some(block) = self.block().await {
            count += i64::from(!block.starts_with(':'));
        }
        count
    }
}

/// Expired 28 s ago: with the leeway of 30 s it is taken for 2 s more.
fn token_for_two_seconds() -> String {
    let minted = Timestamp::from_unix_ms(Clock::system().now().unix_ms() - 29_000).unwrap();
    token_until("responder", Some("incidents:read"), minted, Duration::from_secs(1))
}

async fn within_a_second<T>(work: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(1), work).await.expect("within a second")
}

pub(crate) async fn a_stream_brings_what_was_and_what_comes_from_any_server(database: &TestDatabase) {
    let stores = database.servers(2).await;
    let (here, there) = (Server::start(stores[0].clone()).await, Server::start(stores[1].clone()).await);
    let before = there.report(0, None).await;
    let mut events = Events::open(&here, "", &reader(), None).await;
    let event = within_a_second(events.event()).await;
    assert_eq!((&event.change["incident"]["id"], &*event.kind), (&before["id"], "created"));
    assert_eq!(event.change["cursor"], event.id);
    for round in 1..20 {
        let server = [&here, &there][round % 2];
        let incident = server.report(i64::try_from(round).unwrap(), Some("off")).await;
        for kind in ["created", "cancelled"] {
            let event = within_a_second(events.event()).await;
            assert_eq!((&event.change["incident"]["id"], &*event.kind), (&incident["id"], kind));
        }
    }
}

pub(crate) async fn a_stream_resumes_behind_the_last_event_id(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    for round in 0..5 {
        server.report(round, None).await;
    }
    let mut all = Events::open(&server, "?limit=2", &reader(), None).await;
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(within_a_second(all.event()).await);
    }
    // A browser repeats the address it began with; the header is newer.
    let mut resumed = Events::open(&server, "?after=0", &reader(), Some(&seen[2].id)).await;
    let mut from_there = Events::open(&server, &format!("?after={}", seen[2].id), &reader(), None).await;
    for event in &seen[3..] {
        assert_eq!(within_a_second(resumed.event()).await, *event);
        assert_eq!(within_a_second(from_there.event()).await, *event);
    }
    let bad = server.get("/api/incidents/changes", &reader()).header("Accept", "text/event-stream");
    assert_eq!(bad.header("Last-Event-ID", "x").send().await.expect("an answer").status(), 422);
}

pub(crate) async fn a_quiet_stream_sends_comments(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    let mut events = Events::open(&server, "", &reader(), None).await;
    let line =
        timeout(Duration::from_secs(15), events.block()).await.expect("within 15 s").expect("a comment");
    assert!(line.starts_with(':'), "{line}");
}

pub(crate) async fn a_stream_ends_when_the_server_stops(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    server.report(0, None).await;
    let mut events = Events::open(&server, "", &reader(), None).await;
    events.event().await;
    let stopped = Instant::now();
    timeout(Duration::from_secs(3), server.stop()).await.expect("the stream does not hold the server up");
    assert_eq!(events.block().await, None);
    assert!(stopped.elapsed() < Duration::from_secs(3));
}

pub(crate) async fn a_stream_ends_with_its_token(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    let mut events = Events::open(&server, "", &token_for_two_seconds(), None).await;
    assert_eq!(timeout(Duration::from_secs(5), events.block()).await.expect("it ends by itself"), None);
}

/// More changes than fit into the buffers between a server and a reader.
const FAR_BEHIND: i64 = 20_000;

async fn server_with_a_past(database: &TestDatabase) -> Server {
    let store = database.open().await;
    for thousand in 0..FAR_BEHIND / 1000 {
        let reports: Vec<_> = (0..1000).map(|number| report("alice", 1000 * thousand + number)).collect();
        sync(&*store, &reports).await;
    }
    Server::start(store).await
}

pub(crate) async fn a_reader_far_behind_is_let_go_with_its_token(database: &TestDatabase) {
    let server = server_with_a_past(database).await;
    let mut events = Events::open(&server, "", &token_for_two_seconds(), None).await;
    events.event().await;
    sleep(Duration::from_secs(3)).await; // the token expires
    assert!(events.rest().await < FAR_BEHIND - 1);
}

pub(crate) async fn a_reader_far_behind_is_let_go_when_the_server_stops(database: &TestDatabase) {
    let server = server_with_a_past(database).await;
    let mut events = Events::open(&server, "", &reader(), None).await;
    events.event().await;
    let (rest, ()) = tokio::join!(events.rest(), server.stop());
    assert!(rest < FAR_BEHIND - 1);
}

pub(crate) async fn a_reader_that_does_not_read_costs_the_writers_nothing(database: &TestDatabase) {
    let server = Server::start(database.open().await).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        let mut connection = TcpStream::connect(server.address).await.expect("a connection");
        let request = format!(
            "GET /api/incidents/changes?limit=1000 HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nAuthorization: Bearer {}\r\n\r\n",
            reader()
        );
        connection.write_all(request.as_bytes()).await.expect("sent");
        silent.push(connection);
    }
    for round in 0..300 {
        within_a_second(server.report(round, None)).await;
    }
    let mut events = Events::open(&server, "", &reader(), None).await;
    for _ in 0..300 {
        within_a_second(events.event()).await;
    }
}
