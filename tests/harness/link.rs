//! A way to the database that a test may hold up: nothing is refused, nothing gets lost, nothing arrives.

use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

use crate::Database;

/// Forwards connections to a database on PostgreSQL, until it is dropped.
pub struct Link {
    url: String,
    held: Arc<watch::Sender<bool>>,
    _running: JoinSet<()>,
}

impl Link {
    /// A way to this database.
    ///
    /// # Panics
    /// It is a file.
    pub async fn to(database: &Database) -> Self {
        let url = database.url().expect("a database behind a port");
        let mut url = reqwest::Url::parse(url).expect("a URL");
        let port = url.port().expect("the server for tests has a port of its own");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("a port").port();
        url.set_port(Some(own)).expect("the URL has a host");
        let held = Arc::new(watch::Sender::new(false));
        let mut running = JoinSet::new();
        running.spawn(accept(listener, port, Arc::clone(&held)));
        Self { url: url.into(), held, _running: running }
    }

    /// What `--database-url` says to go this way.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on nothing arrives, in either direction.
    pub fn hold_up(&self) {
        self.held.send_replace(true);
    }

    /// What was held up arrives.
    pub fn let_go(&self) {
        self.held.send_replace(false);
    }
}

async fn accept(listener: TcpListener, port: u16, held: Arc<watch::Sender<bool>>) {
    let mut connections = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        let held = held.subscribe();
        connections.spawn(async move {
            let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
            let ((from_client, to_client), (from_server, to_server)) =
                (client.into_split(), server.into_split());
            tokio::select! {
                () = forward(from_client, to_server, held.clone()) => {}
                () = forward(from_server, to_client, held) => {}
            }
        });
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut held: watch::Receiver<bool>) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let let_go = held.wait_for(|held| !held).await.is_ok();
        if !let_go || to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
