//! Many servers on one PostgreSQL: no state but the database's.
//!
//! A batch is one statement that commits by itself, so a transaction never spans a round trip: nobody can
//! leave one open, and a commit that fails can only be seen as an error. See [`write`] for why two servers
//! may write one incident at once, and [`feed`] for why no change is ever skipped.

mod connect;
mod erase;
pub(super) mod export;
mod feed;
mod feed_state;
mod given;
mod indexes;
mod inspect;
mod installation;
mod listen;
mod partitioned_index;
mod partitions;
#[cfg(test)]
mod pruning;
mod range;
mod read;
mod replica;
#[cfg(test)]
mod scratch;
mod sessions;
mod statements;
mod tables;
mod write;

use std::{
    str::FromStr,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use incident_core::{Event, IncidentId, Timestamp};
use sqlx::{Connection, postgres::PgConnectOptions};
use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::timeout,
};

use self::{connect::Use, feed_state::FeedState, partitions::Ahead, replica::Replica, sessions::Sessions};
pub(super) use self::{
    inspect::{inspect, standby_of},
    tables::schema,
};
use super::{
    ChangePage, Erased, Horizon, IncidentPage, ListQuery, OpenError, Partitions, Position, Store, StoreError,
    StoredIncident, SyncItem, Verdict, pools::Pool,
};
use crate::supervise::supervised;

/// Batches on their way at once: one is executed while another waits for the disk and the standby.
const WRITERS: usize = 2;
const READERS: usize = 8;
/// How long the start waits for a database that is there but busy, such as with another server's migration.
const OPEN_DEADLINE: Duration = Duration::from_secs(60);

/// Incidents in a PostgreSQL database.
pub struct PgStore {
    writers: Sessions,
    feed: Arc<FeedState>,
    ahead: Arc<Ahead>,
    replica: Arc<Replica>,
    tasks: std::sync::Mutex<JoinSet<()>>,
}

impl PgStore {
    /// Opens the database behind a `postgres://` URL and brings its tables up to date. Several servers may do
    /// so at once.
    ///
    /// # Errors
    /// The server cannot be reached, is read-only or too old, or a commit does not succeed; the database was made by a
    /// newer version.
    pub async fn open_url(url: &str) -> Result<Self, OpenError> {
        Self::open_urls(url, None).await
    }

    /// As [`open_url`](Self::open_url), with a second URL that leads to a standby of the same database: lists and single
    /// incidents are read there as long as it has what the primary has.
    ///
    /// # Errors
    /// As [`open_url`](Self::open_url). A standby that is away is none.
    pub async fn open_urls(url: &str, standby: Option<&str>) -> Result<Self, OpenError> {
        let options = |url| PgConnectOptions::from_str(url).map(connect::plain).map_err(OpenError::unusable);
        let standby = standby.map(options).transpose()?;
        let options = options(url)?;
        connect::first_commit(&options).await?;
        timeout(OPEN_DEADLINE, migrate(&options)).await.map_err(|_| OpenError::late())??;
        let store = Self {
            writers: Sessions::new(&options, Use::Write, WRITERS),
            feed: Arc::new(FeedState {
                readers: Sessions::new(&options, Use::Read, READERS),
                written: Notify::new(),
                complete_to: watch::Sender::new(Position::START),
                unsettled: AtomicBool::new(false),
            }),
            ahead: Arc::default(),
            replica: Arc::new(Replica::new(standby.as_ref(), READERS)),
            tasks: std::sync::Mutex::default(),
        };
        store.start_tasks(options);
        Ok(store)
    }

    fn start_tasks(&self, options: PgConnectOptions) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let (indexed, followed) = (options.clone(), Arc::clone(&self.feed));
        tasks.spawn(supervised("index", move || indexes::make_beside_the_load(indexed.clone())));
        let (partitioned, ahead) = (options.clone(), Arc::clone(&self.ahead));
        tasks.spawn(supervised("partitions", move || {
            partitions::make_for_ever(partitioned.clone(), Arc::clone(&ahead))
        }));
        let (replica, feed) = (Arc::clone(&self.replica), Arc::clone(&self.feed));
        tasks.spawn(supervised("standby", move || {
            let (replica, feed) = (Arc::clone(&replica), Arc::clone(&feed));
            async move { replica.watch(&feed.readers).await }
        }));
        let feed = Arc::clone(&self.feed);
        tasks.spawn(supervised("tell", move || listen::tell(Arc::clone(&feed))));
        tasks.spawn(supervised("listen", move || listen::listen(options.clone(), Arc::clone(&followed))));
    }
}

async fn migrate(options: &PgConnectOptions) -> Result<(), OpenError> {
    let mut session = connect::connect(options).await?.connection;
    tables::bring_up_to_date(&mut session).await?;
    tables::be_quick(&mut session).await?;
    tables::may_be_used(&mut session).await?;
    installation::begin_series(&mut session).await.map_err(OpenError::from_making)?;
    indexes::make_where_it_takes_no_time(&mut session).await.map_err(OpenError::from_making)?;
    session.close().await.map_err(OpenError::unusable)
}

#[async_trait]
impl Store for PgStore {
    fn writers(&self) -> usize {
        WRITERS
    }

    async fn sync(&self, batch: &[SyncItem], now: Timestamp) -> Result<Vec<Verdict>, StoreError> {
        let verdicts = write::sync(&self.writers, batch, now).await;
        self.feed.written.notify_one(); // after an error too: it may have been written all the same
        verdicts
    }

    async fn erase(&self, ids: &[IncidentId], now: Timestamp) -> Result<Vec<Erased>, StoreError> {
        let erased = erase::erase(&self.writers, ids, now).await;
        self.feed.written.notify_one(); // after an error too, as above
        erased
    }

    async fn forget(&self) -> Result<(), StoreError> {
        Ok(()) // the log and its archive are the database's own
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        self.feed.in_time(read::incident(&self.feed.readers, id)).await
    }

    async fn incidents(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        self.feed.in_time(read::incidents(&self.feed.readers, query)).await
    }

    async fn incident_to_show(&self, id: IncidentId) -> Result<Option<StoredIncident>, StoreError> {
        let from_standby = |standby| read::incident(standby, id);
        self.replica.read(&self.feed.readers, from_standby, self.incident(id)).await
    }

    async fn incidents_to_show(&self, query: &ListQuery) -> Result<IncidentPage, StoreError> {
        let from_standby = |standby| read::incidents(standby, query);
        self.replica.read(&self.feed.readers, from_standby, self.incidents(query)).await
    }

    async fn history(&self, id: IncidentId) -> Result<Vec<Event>, StoreError> {
        self.feed.in_time(read::history(&self.feed.readers, id)).await
    }

    async fn changes(&self, after: Position, limit: i64) -> Result<ChangePage, StoreError> {
        let (changes, unsettled) = self.feed.in_time(feed::changes(&self.feed.readers, after, limit)).await?;
        if unsettled {
            self.feed.unsettled.store(true, Ordering::Relaxed);
        }
        Ok(changes)
    }

    async fn horizon(&self) -> Result<Horizon, StoreError> {
        self.feed.in_time(feed::horizon(&self.feed.readers)).await
    }

    fn watch_changes(&self) -> watch::Receiver<Position> {
        self.feed.complete_to.subscribe()
    }

    fn log_bytes(&self) -> Option<u64> {
        None // max_wal_size and the slots are the database's own
    }

    fn pools(&self) -> Vec<Pool> {
        let mut pools = vec![self.writers.pool("write"), self.feed.readers.pool("read")];
        pools.extend(self.replica.pool());
        pools
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn holds_incidents(&self) -> Result<bool, StoreError> {
        self.feed.in_time(installation::holds_incidents(&self.writers)).await
    }

    async fn knows_secret(&self, fingerprint: [u8; 32]) -> Result<bool, StoreError> {
        self.feed.in_time(installation::knows_secret(&self.writers, &fingerprint)).await
    }

    fn partitions(&self) -> Option<Partitions> {
        Some(self.ahead.state())
    }

    async fn ready(&self) -> Result<(), StoreError> {
        write::barrier(&self.writers).await
    }

    async fn close(&self) {
        std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner)).abort_all();
        self.writers.close().await;
        self.feed.readers.close().await;
        self.replica.close().await;
    }
}
