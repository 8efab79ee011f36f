//! The accept loop: a cap on connections, some for health checks beyond it, a drain that ends.
//!
//! What one connection may do is in `connection`, what its bytes may do in `stream`.

mod connection;
mod permits;
mod stream;

use std::{io, net::SocketAddr, time::Duration};

use axum::Router;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::{
    App,
    limits::{DRAIN_DEADLINE, PAUSE_AFTER_ACCEPT_ERROR, PEER_DEADLINE, SEND_BUFFER},
};
use permits::ConnectionPermits;
pub(crate) use permits::{WithoutPermit, max_connections, no_connection_left};

/// Serves until `stop` is ready, then answers what was accepted and returns.
///
/// Beyond the cap on connections only health checks are answered, and anybody else 503. A request that is still
/// running 32 s after `stop` (the body's own deadline is 30 s) is cut off, a peer that does not read after 3 s.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_within(DRAIN_DEADLINE, listener, router, stop).await;
}

/// Serves an app until `stop` is ready: then its streams end, what was accepted is answered and committed, and its
/// store is closed. `router` has its routes, alone or merged into others.
pub async fn serve_app(listener: TcpListener, router: Router, app: App, stop: impl Future<Output = ()>) {
    serve_announced(DRAIN_DEADLINE, listener, router, &app, stop).await;
    app.drain().await;
}

/// As [`serve_app`], with this much time from `stop` to the last answer; the app is still to be drained.
pub(crate) async fn serve_announced(
    drain: Duration,
    listener: TcpListener,
    router: Router,
    app: &App,
    stop: impl Future<Output = ()>,
) {
    let announced = async {
        stop.await;
        app.announce_drain();
    };
    serve_within(drain, listener, router, announced).await;
}

async fn serve_within(
    drain: Duration,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    limit_sends(&listener);
    let permits = ConnectionPermits::new();
    let stopping = watch::Sender::new(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let stream = accept(&listener).await;
            (stream, permits.take().await)
        };
        let (stream, permit) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        tokio::spawn(connection::serve(stream, router.clone(), permit, stopping.subscribe()));
    }
    drop(listener);
    stopping.send_replace(true);
    if tokio::time::timeout(drain, stopping.closed()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE_AFTER_ACCEPT_ERROR).await;
            }
        }
    }
}

/// Connections inherit these from their listener (Linux). Without them the deadlines of `stream` still hold, only
/// later.
fn limit_sends(listener: &TcpListener) {
    let socket = SockRef::from(listener);
    let limited = socket
        .set_send_buffer_size(SEND_BUFFER)
        .and_then(|()| socket.set_tcp_user_timeout(Some(PEER_DEADLINE)));
    if let Err(error) = limited {
        tracing::warn!(%error, "cannot limit what peers that do not read may hold");
    }
}

const OPERATIONS: &str = "--operations-listen";

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another process listens there.
    #[error("{address} is taken by another process; stop it, or choose another address with {flag}")]
    Taken {
        /// Which address.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
    },
    /// The server itself listens there already.
    #[error("{address} is taken by --listen; choose another address with --operations-listen")]
    Twice {
        /// Which address.
        address: SocketAddr,
    },
    /// The operating system does not let this process.
    #[error("cannot listen on {address}: {source}; choose another address with {flag}")]
    Refused {
        /// Which address.
        address: SocketAddr,
        /// The flag that chooses it.
        flag: &'static str,
        /// What it says.
        source: io::Error,
    },
}

/// Binds the address to listen on.
///
/// # Errors
/// [`BindError`], with what to do about it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    bind_for("--listen", address).await
}

/// Binds the address for all and, if there is one, that for operators.
pub(crate) async fn bind_both(
    listen: SocketAddr,
    operations: Option<SocketAddr>,
) -> Result<(TcpListener, Option<TcpListener>), BindError> {
    let listener = bind(listen).await?;
    let Some(address) = operations else { return Ok((listener, None)) };
    match bind_for(OPERATIONS, address).await {
        Err(BindError::Taken { .. }) => {
            drop(listener);
            // Free without the first one: then that is what holds it.
            bind_for(OPERATIONS, address).await.and(Err(BindError::Twice { address }))
        }
        bound => Ok((listener, Some(bound?))),
    }
}

/// Binds an address that this flag chooses.
pub(crate) async fn bind_for(flag: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::Taken { address, flag },
        _ => BindError::Refused { address, flag, source },
    })
}
