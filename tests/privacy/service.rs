//! The real server, in this process so that a clock of our own can be put in, on a database of its own.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use incident_core::IdSecret;
use incident_server::{
    App, Clock, Parts,
    auth::{READ_SCOPE, TokenRequest, Verifier, mint_hs256},
    commit::QueueLimits,
    routes, secrets, serve,
    store::{PgStore, SqliteStore, Store},
};
use incident_tests::{Client, Database};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    Failure, log,
    world::{DAY_MS, MORNING_MS, moment},
};

/// The simulated time, for the server and its log.
pub(crate) static NOW_MS: AtomicI64 = AtomicI64::new(MORNING_MS);

/// Which database the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A running server and all that it keeps.
pub(crate) struct Service {
    pub(crate) folder: TempDir,
    pub(crate) database: Database,
    pub(crate) id_secret: IdSecret,
    pub(crate) store: Arc<dyn Store>,
    token_secret: Vec<u8>,
    url: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

pub(crate) fn set_time(unix_ms: i64) {
    NOW_MS.store(unix_ms, Ordering::Relaxed);
}

impl Service {
    /// Serves on any free port; logs everything into a file.
    pub(crate) async fn start(kind: Kind) -> Result<Self, Failure> {
        set_time(MORNING_MS);
        let folder = TempDir::with_prefix("incident-privacy-")?;
        let database = match kind {
            Kind::Sqlite => Database::Sqlite(folder.path().to_owned()),
            Kind::Postgres => Database::postgres(),
        };
        log::into_file(&folder.path().join("log"))?;
        let token_secret = secrets::read_or_make(&folder.path().join("hs256.secret"))?;
        let id_secret = IdSecret::new(&secrets::read_or_make(&folder.path().join("id.secret"))?)?;
        let store = open(&database).await?;
        let app = App::new(Parts {
            store: Arc::clone(&store),
            verifier: Verifier::hs256(&token_secret, None, None),
            id_secret: id_secret.clone(),
            rate_limit: "off".parse()?,
            payload_rate_limit: "off".parse()?,
            limits: QueueLimits::DEFAULT,
            clock: Clock::new(|| moment(NOW_MS.load(Ordering::Relaxed))),
        });
        let listener = serve::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (stop, stopped) = oneshot::channel();
        let router = routes::standalone(app.clone());
        let served =
            tokio::spawn(serve::serve_app(listener, router, app, async move { drop(stopped.await) }));
        Ok(Self { folder, database, id_secret, store, token_secret, url, stop, served })
    }

    /// Somebody who may read all.
    pub(crate) fn responder(&self) -> Client {
        Client::new(&self.url, Some(self.token("responder", Some(READ_SCOPE))))
    }

    /// A token that outlives the simulated day.
    pub(crate) fn token(&self, sub: &str, scope: Option<&str>) -> String {
        let ttl = Duration::from_secs(3600 * 24 * 365 * 20);
        let request = TokenRequest { sub, scope, issuer: None, audience: None, ttl };
        mint_hs256(&self.token_secret, request, moment(MORNING_MS - DAY_MS))
    }

    /// The log so far.
    pub(crate) fn logged(&self) -> Result<String, Failure> {
        Ok(fs::read_to_string(self.folder.path().join("log"))?)
    }

    /// Answers what was accepted and ends; the files stay until the value is dropped.
    pub(crate) async fn stop(self) -> Result<(TempDir, Database), Failure> {
        let _ = self.stop.send(());
        self.served.await?;
        Ok((self.folder, self.database))
    }
}

async fn open(database: &Database) -> Result<Arc<dyn Store>, Failure> {
    Ok(match database {
        Database::Sqlite(folder) => Arc::new(SqliteStore::open_file(&folder.join("incidents.sqlite")).await?),
        Database::Postgres(_) => Arc::new(PgStore::open_url(database.url().unwrap_or_default()).await?),
    })
}
