//! How servers hear of each other's commits: `NOTIFY` behind the commit, `LISTEN` everywhere.
//!
//! Behind it, for a `NOTIFY` inside a transaction makes commits wait for each other. It is only a hint: a
//! listener looks by itself twice a second, so a lost one delays a reader by less than a second.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::time::{Instant, sleep, timeout};

use super::{feed::horizon, feed_state::FeedState};
use crate::store::Horizon;

const CHANNEL: &str = "incident_changes";
/// A notification is a commit; this one need not wait for the disk and the standby.
const TELL: &str =
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify('incident_changes', '')::text";
/// Commits within this time are told in one.
const TOGETHER: Duration = Duration::from_millis(20);
const LOOK_EVERY: Duration = Duration::from_millis(500);
const CONNECT_DEADLINE: Duration = Duration::from_secs(4);
/// A session that hears nothing for so long may be dead.
const TRUSTED_SILENCE: Duration = Duration::from_secs(60);

/// Tells all servers that this one has written, for ever.
pub(super) async fn tell(feed: Arc<FeedState>) {
    loop {
        feed.written.notified().await;
        if feed.in_time(feed.readers.run(|| sqlx::query(TELL))).await.is_err() {
            tracing::debug!("other servers were not told of a change; they will see it when they look");
        }
        sleep(TOGETHER).await;
    }
}

/// Wakes this server's readers when there may be something new, for ever.
pub(super) async fn listen(options: PgConnectOptions, feed: Arc<FeedState>) {
    loop {
        match timeout(CONNECT_DEADLINE, open(&options)).await {
            Ok(Ok(listener)) => follow(listener, &feed).await,
            _ => look(&feed).await,
        }
        sleep(LOOK_EVERY).await;
    }
}

async fn open(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    let pool: PgPool =
        PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

/// Looks after every notification and every half second, until the session has been silent for long.
async fn follow(mut listener: PgListener, feed: &FeedState) {
    let mut heard = Instant::now();
    while heard.elapsed() < TRUSTED_SILENCE {
        match timeout(LOOK_EVERY, listener.try_recv()).await {
            Ok(Ok(Some(_))) => heard = Instant::now(),
            Ok(_) => return,
            Err(_) => {}
        }
        look(feed).await;
    }
}

/// Looks only if somebody wants to know.
async fn look(feed: &FeedState) {
    if feed.complete_to.receiver_count() == 0 {
        return;
    }
    if let Ok(Horizon { complete_to, .. }) = feed.in_time(horizon(&feed.readers)).await {
        let unsettled = feed.unsettled.swap(false, Ordering::Relaxed);
        feed.complete_to
            .send_if_modified(|known| std::mem::replace(known, complete_to) < complete_to || unsettled);
    }
}
