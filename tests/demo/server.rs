//! The server of the demo: the real one, in this process, on a database that is thrown away.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use incident_core::IdSecret;
use incident_server::{
    App, Clock, Parts,
    auth::{READ_SCOPE, TokenRequest, Verifier, mint_hs256},
    commit::QueueLimits,
    routes, secrets, serve,
    store::SqliteStore,
};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::Failure;

const A_DAY: Duration = Duration::from_secs(86_400);

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    secret: Vec<u8>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Server {
    /// Serves on `listen`, or on any free port where that one is taken.
    pub(crate) async fn start(folder: &TempDir, listen: SocketAddr) -> Result<Self, Failure> {
        let secret = secrets::read_or_make(&folder.path().join("hs256.secret"))?;
        let app = App::new(Parts {
            store: Arc::new(SqliteStore::open_file(&folder.path().join("incidents.sqlite")).await?),
            verifier: Verifier::hs256(&secret, None, None),
            id_secret: IdSecret::new(&secrets::read_or_make(&folder.path().join("id.secret"))?)?,
            rate_limit: "20/s,200".parse()?,
            payload_rate_limit: "100/s,5000".parse()?,
            limits: QueueLimits::DEFAULT,
            clock: Clock::system(),
        });
        let listener = match serve::bind(listen).await {
            Ok(listener) => listener,
            Err(_) => serve::bind(SocketAddr::new(listen.ip(), 0)).await?,
        };
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let (routes, stopped) = (routes::standalone(app.clone()), async move { drop(stopped.await) });
        let served = tokio::spawn(serve::serve_app(listener, routes, app, stopped));
        Ok(Self { url, secret, stop, served })
    }

    /// A token for a phone's owner.
    pub(crate) fn reporter_token(&self, sub: &str) -> String {
        self.token(sub, None)
    }

    /// A token for somebody who may see every incident.
    pub(crate) fn reader_token(&self) -> String {
        self.token("responder", Some(READ_SCOPE))
    }

    fn token(&self, sub: &str, scope: Option<&str>) -> String {
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl: A_DAY };
        mint_hs256(&self.secret, request, Clock::system().now())
    }

    /// Answers what was accepted and ends.
    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let _ = self.stop.send(());
        self.served.await?;
        Ok(())
    }
}
