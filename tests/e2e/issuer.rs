//! An identity provider for tests, and a server that takes its keys from a file.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use incident_tests::{Client, Server, Setup};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    task::JoinHandle,
    time::sleep,
};

pub(crate) async fn status(server: &Server, token: String) -> u16 {
    Client::new(server.url(), Some(token)).get("/api/incidents").await.status
}

/// An identity provider that publishes keys.
pub(crate) struct Issuer {
    keys: Arc<Mutex<Value>>,
    delay: Arc<Mutex<Duration>>,
    pub(crate) port: u16,
    serving: JoinHandle<()>,
}

impl Issuer {
    pub(crate) async fn start(port: u16, keys: &[Value]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let keys = Arc::new(Mutex::new(json!({ "keys": keys })));
        let (published, delay) = (Arc::clone(&keys), Arc::<Mutex<Duration>>::default());
        let waits = Arc::clone(&delay);
        let serving = tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = [0; 4096];
                let read = stream.read(&mut request).await.unwrap_or(0);
                let pause = *waits.lock().unwrap();
                sleep(pause).await;
                let body = if request[..read].starts_with(b"GET /.well-known/openid-configuration ") {
                    let name = format!("http://127.0.0.1:{port}");
                    json!({ "issuer": name, "jwks_uri": format!("{name}/jwks.json") }).to_string()
                } else {
                    published.lock().unwrap().to_string()
                };
                let head =
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        Self { keys, delay, port, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        *self.keys.lock().unwrap() = json!({ "keys": keys });
    }

    /// Answers so much later from now on.
    pub(crate) fn delay(&self, delay: Duration) {
        *self.delay.lock().unwrap() = delay;
    }

    pub(crate) async fn stop(self) {
        self.serving.abort();
        let _ = self.serving.await;
    }
}

pub(crate) async fn with_file(keys: &[Value]) -> Server {
    let setup = Setup::new();
    let file = setup.data_dir().join("jwks.json");
    std::fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
    setup.flag("--auth-jwks", file.to_str().unwrap()).start().await
}
