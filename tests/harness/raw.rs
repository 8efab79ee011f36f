//! Bytes on a connection, for clients that do not behave.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use reqwest::header::{HeaderMap, HeaderName};

use crate::{Answer, PATIENCE, Server};

/// The head of a sync with a body of this length.
pub fn sync_head(server: &Server, sub: &str, content_length: usize) -> String {
    format!(
        "POST /api/incidents/sync HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {content_length}\r\n\r\n",
        server.address(),
        server.token(sub, None),
    )
}

/// Connects and sends bytes.
///
/// # Panics
/// The server takes no connection.
pub async fn send(server: &Server, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.expect("the server takes connections");
    stream.write_all(bytes.as_ref()).await.expect("the server reads");
    stream
}

/// Reads until the server closes the connection.
///
/// # Panics
/// It does not.
pub async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let closed = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    closed.expect("the server closes the connection").expect("the answer can be read");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads an answer that came as bytes.
///
/// # Panics
/// It is no HTTP answer.
#[track_caller]
pub fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status line");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(name, value.parse().expect("a header's value"));
    }
    let json = serde_json::from_str(body).unwrap_or_default();
    Answer { status, headers, text: body.to_owned(), body: json }
}
