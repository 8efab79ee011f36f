//! A connection for each request, from an address of its own, as phones have.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use incident_mobile_ffi::outbox::{Header, NetworkFailureKind, Upload, UploadResult};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::Semaphore,
};

/// Connections at once, which the operating system limits to 20,000 or so files: a phone beyond waits for one.
const CONNECTIONS: usize = 16_000;

/// The way to one server on this machine.
pub(crate) struct Network {
    server: SocketAddr,
    connections: Semaphore,
    /// Connections so far; each comes from another address of 127.0.0.0/8, since one has 28,000 ports.
    made: AtomicU32,
}

impl Network {
    /// Begins to send to this server.
    pub(crate) fn to(server: SocketAddr) -> Self {
        Self { server, connections: Semaphore::new(CONNECTIONS), made: AtomicU32::new(0) }
    }

    /// Sends an upload on a new connection, and says what came of it.
    pub(crate) async fn send(&self, upload: &Upload, token: &str) -> UploadResult {
        let timeout = Duration::from_millis(upload.timeout_ms.unsigned_abs());
        match tokio::time::timeout(timeout, self.exchange(upload, token)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => no_answer(NetworkFailureKind::Other, error.to_string()),
            Err(_) => no_answer(NetworkFailureKind::TimedOut, String::new()),
        }
    }

    async fn exchange(&self, upload: &Upload, token: &str) -> io::Result<UploadResult> {
        let _connection = self.connections.acquire().await.map_err(io::Error::other)?;
        let mut stream = self.connect().await?;
        let head = head(upload, self.server, token);
        stream.write_all(&[head.as_bytes(), &upload.body].concat()).await?;
        let mut answer = Vec::with_capacity(4096);
        stream.read_to_end(&mut answer).await?;
        parse(&answer).ok_or_else(|| io::Error::other("the answer ends too early"))
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let [_, a, b, c] = self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let socket = TcpSocket::new_v4()?;
        // 127.1.0.1 and on; neither the first nor the last of any block of 256.
        let address = Ipv4Addr::new(127, 1 + (a % 100), b, 1 + (c % 254));
        socket.bind(SocketAddr::new(IpAddr::V4(address), 0))?;
        socket.connect(self.server).await
    }
}

fn head(upload: &Upload, server: SocketAddr, token: &str) -> String {
    let headers = upload.headers.iter().map(|Header { name, value }| format!("{name}: {value}\r\n"));
    format!(
        "{} {} HTTP/1.1\r\nHost: {server}\r\n{}Authorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        upload.method,
        upload.path,
        headers.collect::<String>(),
        upload.body.len()
    )
}

/// An answer that never came.
pub(crate) fn no_answer(kind: NetworkFailureKind, detail: String) -> UploadResult {
    UploadResult::NetworkFailure { kind, detail, sent: true }
}

/// An answer of a server that gives the length of its bodies.
fn parse(answer: &[u8]) -> Option<UploadResult> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header =
        |(name, value): (&str, &str)| Header { name: name.to_owned(), value: value.trim().to_owned() };
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).map(header).collect();
    let length = headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"))?;
    let body = answer[end + 4..].to_vec();
    (length.value.parse() == Ok(body.len())).then_some(UploadResult::Response { status, headers, body })
}
