//! The accept loop: deadlines for headers, a cap on connections, a drain that ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use crate::linger::Lingering;

const HEADER_DEADLINE: Duration = Duration::from_secs(10);
const DRAIN_DEADLINE: Duration = Duration::from_secs(35);
const MAX_CONNECTIONS: usize = 16_384;
/// Files that are no connections: the database, its side files, the log, the listener.
const OTHER_FILES: usize = 128;
const PAUSE_AFTER_ACCEPT_ERROR: Duration = Duration::from_millis(50);

/// Serves until `stop` is ready, then answers what was accepted and returns.
///
/// Connections beyond the cap wait in the listener's backlog. A request that is still running 35 s after `stop`
/// (the body's own deadline is 30 s) is cut off.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let connections = Arc::new(Semaphore::new(max_connections()));
    let graceful = GracefulShutdown::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&connections).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = graceful.watch(connection(stream, router.clone()));
                tokio::spawn(async move {
                    // A broken connection is the client's affair.
                    let _ = connection.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(PAUSE_AFTER_ACCEPT_ERROR).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_DEADLINE, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests did not end in time and are cut off");
    }
}

/// As many as the operating system lets this process have open, so that the database never runs short of files.
fn max_connections() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).clamp(1, MAX_CONNECTIONS)
}

fn connection(
    stream: TcpStream,
    router: Router,
) -> http1::Connection<TokioIo<Lingering>, TowerToHyperService<Router>> {
    // Nagle's algorithm would hold back small answers; not being able to switch it off is no fault.
    let _ = stream.set_nodelay(true);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_DEADLINE)
        .half_close(true)
        .serve_connection(TokioIo::new(Lingering::new(stream)), TowerToHyperService::new(router))
}

/// Binds the address to listen on.
///
/// # Errors
/// What the operating system says, with what to do about it.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{address} is taken by another process; stop it, or choose another address with --listen")
        }
        _ => format!("cannot listen on {address}: {error}; choose another address with --listen"),
    })
}
