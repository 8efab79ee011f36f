//! The server: its router, its commit path and its SQLite store, without sockets.

use std::path::Path;

use fastrand::Rng;
use incident_core::{IncidentId, Reporter, Stored, Timestamp};
use incident_server::store::{ListQuery, Position, SqliteStore, Store};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tokio::runtime::Builder;

use crate::{
    Failure, chance,
    images::{Opened, Subject, any_image, look},
    record::{Files, Life, State},
    requests::{Requests, report},
};

/// What the database is called.
pub(crate) const FILE: &str = "incidents";
/// Its log, in which a commit is durable.
pub(crate) const LOG: &str = "incidents-wal";
/// 2026-11-22T10:15:30.120Z.
const BEGINNING_MS: i64 = 1_795_342_530_120;
/// How many times the power is cut and the server goes on with what is left.
const LIVES: usize = 3;
const PAGE: usize = 1000;
const CHANGES: i64 = 1000;

/// The real store.
pub(crate) struct Server;

impl Subject for Server {
    fn names(&self) -> (&'static str, &'static str) {
        ("server", "Server")
    }

    fn live(&self, seed: u64) -> Result<Vec<Life>, Failure> {
        chance::begin(seed);
        let mut rng = Rng::with_seed(seed);
        let mut lives = Vec::new();
        let (mut base, mut state, mut now_ms) = (Files::new(), State::new(), BEGINNING_MS);
        for _ in 0..LIVES {
            let steps = rng.usize(6..12);
            let life = Requests::begin(&base, state, now_ms, rng.fork(), true)?.live(steps)?;
            (now_ms, base) = (life.now_ms, any_image(&life, &mut rng));
            lives.push(life);
            let Ok(left) = look(self, &base, now_ms) else { break };
            state = left.state;
        }
        Ok(lives)
    }

    fn answers(&self, wanted: u64) -> Result<u64, Failure> {
        let rng = Rng::with_seed(wanted);
        Requests::begin(&Files::new(), State::new(), BEGINNING_MS, rng, false)?.answers(wanted)
    }

    fn open(&self, folder: &Path, now_ms: i64) -> Result<Opened, String> {
        let runtime =
            Builder::new_current_thread().enable_time().build().map_err(|error| error.to_string())?;
        let state = runtime.block_on(read_all(&folder.join(FILE), now_ms))?;
        Ok(Opened { state, is_repaired: false })
    }
}

/// Opens a database, reads all of it, and lets it take a report.
async fn read_all(file: &Path, now_ms: i64) -> Result<State, String> {
    let store = SqliteStore::open_file(file).await.map_err(|error| format!("does not open: {error}"))?;
    let state = read(&store).await?;
    let now = Timestamp::from_unix_ms(now_ms).unwrap_or(Timestamp::MIN);
    let taken = store.sync(&[report(usize::MAX, now_ms + 1, false).item()], now).await;
    let is_taken = taken.map_err(|error| format!("takes no report: {error}"))?.iter().all(Result::is_ok);
    store.close().await;
    if is_taken { whole(file).await.map(|()| state) } else { Err("a report was refused".to_owned()) }
}

/// Everything that stands in a database.
///
/// # Errors
/// It cannot be read, or its lists and its history are not of one piece.
pub(crate) async fn read(store: &dyn Store) -> Result<State, String> {
    let (mut state, mut kept) = (State::new(), Vec::new());
    let (mut after, failed) = (Position::START, |error| format!("cannot be read: {error}"));
    loop {
        let page = store.changes(after, CHANGES).await.map_err(failed)?;
        if page.next == after || page.changes.is_empty() {
            break;
        }
        for change in &page.changes {
            let id = change.incident.id;
            state.insert(format!("change {}", change.position.0), format!("{:?} {id}", change.event));
            state.insert(name(id), text(&change.incident.incident, change.incident.reporter.as_deref()));
            if matches!(change.incident.incident, Stored::Kept(_)) {
                kept.push(id);
            }
        }
        after = page.next;
    }
    kept.sort_unstable();
    kept.dedup();
    let query = ListQuery { limit: PAGE, ..ListQuery::default() };
    let mut listed: Vec<_> =
        store.incidents(&query).await.map_err(failed)?.incidents.iter().map(|one| one.id).collect();
    listed.sort_unstable();
    if listed == kept { Ok(state) } else { Err("its list and its history differ".to_owned()) }
}

/// The name of an incident among what is known.
pub(crate) fn name(id: IncidentId) -> String {
    format!("incident {id}")
}

/// Whatever stands in its row.
fn text(incident: &Stored, reporter: Option<&str>) -> String {
    let reporter = Reporter::parse(reporter.unwrap_or("nobody")).expect("a name");
    match incident {
        Stored::Kept(incident) => {
            serde_json::to_string(&(incident.columns(&reporter), format!("{:?}", incident.state)))
        }
        Stored::Erased(tombstone) => serde_json::to_string(&tombstone.columns()),
    }
    .expect("columns have a JSON form")
}

/// Every page and every index of a database.
async fn whole(file: &Path) -> Result<(), String> {
    let failed = |error: sqlx::Error| format!("cannot be checked: {error}");
    let mut connection = SqliteConnectOptions::new().filename(file).connect().await.map_err(failed)?;
    let verdict: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    if verdict == "ok" { Ok(()) } else { Err(format!("is not whole: {verdict}")) }
}
