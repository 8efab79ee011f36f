//! The accept loop: a cap on connections, places for health checks beyond it, a drain that ends.
//!
//! What one connection may do is in `connection`, what its bytes may do in `stream`.

mod connection;
mod places;
mod stream;

use std::{net::SocketAddr, time::Duration};

use axum::Router;
use socket2::SockRef;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

use crate::limits::{DRAIN_DEADLINE, PAUSE_AFTER_ACCEPT_ERROR, PEER_DEADLINE, SEND_BUFFER};
use places::Places;
pub(crate) use places::{WithoutPlace, connections, max_connections, no_place};

/// Serves until `stop` is ready, then answers what was accepted and returns.
///
/// Beyond the cap on connections only health checks are answered, and anybody else 503. A request that is still
/// running 32 s after `stop` (the body's own deadline is 30 s) is cut off, a peer that does not read after 3 s.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    serve_within(DRAIN_DEADLINE, listener, router, stop).await;
}

/// As [`serve`], with this much time from `stop` to the last answer.
pub(crate) async fn serve_within(
    drain: Duration,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) {
    limit_sends(&listener);
    let places = Places::new();
    let stopping = watch::Sender::new(false);
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let stream = accept(&listener).await;
            (stream, places.take().await)
        };
        let (stream, place) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        tokio::spawn(connection::serve(stream, router.clone(), place, stopping.subscribe()));
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

/// Binds the address to listen on.
///
/// # Errors
/// What the operating system says, with what to do about it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    bind_for("--listen", address).await
}

/// Binds an address that this flag chooses.
pub(crate) async fn bind_for(flag: &str, address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{address} is taken by another process; stop it, or choose another address with {flag}")
        }
        _ => format!("cannot listen on {address}: {error}; choose another address with {flag}"),
    })
}
