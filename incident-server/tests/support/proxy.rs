//! A link to a database that a test may cut without anybody being told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// Where the link leads, and how often it was cut.
#[derive(Clone, Copy)]
struct Target {
    /// `None`: bytes vanish, no connection is ever refused or reset.
    port: Option<u16>,
    cuts: u32,
}

/// Forwards connections to a port of choice.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    target: Arc<watch::Sender<Target>>,
    _running: JoinSet<()>,
}

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let target = Arc::new(watch::Sender::new(Target { port: Some(port), cuts: 0 }));
        let own = listener.local_addr().expect("a port").port();
        let mut running = JoinSet::new();
        running.spawn(accept(listener, Arc::clone(&target)));
        Self { port: own, target, _running: running }
    }

    /// From now on the link is dead: what is sent gets lost, in both directions, for open connections too.
    pub(crate) fn cut(&self) {
        self.target.send_modify(|target| *target = Target { port: None, cuts: target.cuts + 1 });
    }

    /// New connections lead to this port; open ones stay as they are.
    pub(crate) fn lead_to(&self, port: u16) {
        self.target.send_modify(|target| target.port = Some(port));
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }
}

async fn accept(listener: TcpListener, target: Arc<watch::Sender<Target>>) {
    let mut links = JoinSet::new();
    loop {
        let (client, _) = listener.accept().await.expect("a connection");
        links.spawn(link(client, target.subscribe()));
    }
}

/// Once cut, a connection stays dead for ever, as behind a router that forgot it.
async fn link(client: TcpStream, mut target: watch::Receiver<Target>) {
    let Target { port, cuts } = *target.borrow_and_update();
    let Some(port) = port else { return silence(client).await };
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let Ok(server) = TcpStream::connect(address).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let cut = async move {
        // The sender lives as long as the proxy.
        let _ = target.wait_for(|target| target.cuts != cuts).await.map(drop);
    };
    tokio::select! {
        () = copy(&mut from_client, &mut to_server) => {}
        () = copy(&mut from_server, &mut to_client) => {}
        () = cut => std::future::pending().await, // with all halves open, or both sides would be told
    }
}

async fn silence(client: TcpStream) {
    let _open = client;
    std::future::pending::<()>().await;
}

async fn copy(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf) {
    let mut buffer = vec![0; 65_536];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// Waits for something that happens elsewhere, as long as a person would.
pub(crate) async fn until(what: &str, deadline: Duration, mut happened: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !happened().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(deadline, looking).await.is_ok(),
        "{what} did not happen within {deadline:?}"
    );
}
