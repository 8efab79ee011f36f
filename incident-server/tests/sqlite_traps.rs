//! What a SQLite file does under load and with others beside it, and what the store makes of that.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use incident_server::store::{Position, Store, SyncItem};
use support::{
    database::TestDatabase,
    report::{report, sync},
};
use tokio::task::JoinSet;

const MIB: u64 = 1024 * 1024;
const READERS: usize = 8;
const BATCHES: i64 = 300;
const BATCH: i64 = 400;

/// Pages through all changes, again and again.
async fn read_on(store: Arc<dyn Store>, over: Arc<AtomicBool>) {
    let mut after = Position::START;
    while !over.load(Ordering::Relaxed) {
        let page = store.changes(after, 1000).await.expect("readers are held off, not refused");
        after = if page.next == after { Position::START } else { page.next };
    }
}

fn batch(number: i64) -> Vec<SyncItem> {
    (0..BATCH).map(|item| report(&"x".repeat(200), number * BATCH + item)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_that_overlap_do_not_let_the_write_ahead_log_grow() {
    let database = TestDatabase::sqlite();
    let store = database.open().await;
    let TestDatabase::Sqlite(directory) = &database else { unreachable!("it was asked for") };
    let log = directory.path().join("incidents.sqlite-wal");
    let (over, mut readers, mut largest) = (Arc::new(AtomicBool::new(false)), JoinSet::new(), 0);
    for _ in 0..READERS {
        readers.spawn(read_on(Arc::clone(&store), Arc::clone(&over)));
    }

    for number in 0..BATCHES {
        sync(&*store, &batch(number)).await;
        largest = largest.max(fs::metadata(&log).expect("there is a log").len());
    }
    over.store(true, Ordering::Relaxed);
    readers.join_all().await;

    println!("the log had {} MiB at most", largest / MIB);
    assert!(largest < 64 * MIB, "the log had {largest} bytes");
    assert!(store.log_bytes().is_some_and(|bytes| bytes <= largest));
}
