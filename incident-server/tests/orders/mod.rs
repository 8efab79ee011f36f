//! The queue of requests before their commit, run in thousands of orders of who goes on next: it is the code itself, and
//! [`shuttle`] decides at every `await`, by chance. A transaction takes any time, fails, or dies of a bug; a request is waited for
//! by nobody any more; the server stops.
//!
//! Timers stand still: no deadline comes. What threads do between two awaits is not taken apart.

mod database;

use std::{sync::Arc, time::Duration};

use incident_core::{IdSecret, IdempotencyKey, IncidentId, Reporter, Timestamp, decode};
use shuttle::{
    Config, Runner,
    future::{JoinHandle, block_on, spawn, yield_now},
    scheduler::RandomScheduler,
};
use tokio::{
    runtime::Builder,
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use self::database::{Database, chance, is_refused};
use super::{Breaker, CommitError, Committer, QueueLimits, Room, Worker};
use crate::{Clock, metrics::Metrics, store::SyncItem};

const REQUESTS: usize = 4;
/// Of all of them together: as much as the queue takes.
const PAYLOADS: usize = 6;

/// What may happen beside requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// The database refuses a payload for its values.
    Refusals,
    /// The database is away or a bug strikes, requests are given up, the server stops.
    Foul,
}

/// A committer whose workers are tasks of shuttle's, and those.
fn committer(database: &Arc<Database>, writers: usize) -> (Committer, Vec<JoinHandle<()>>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let (receiver, metrics) = (Arc::new(Mutex::new(receiver)), Arc::new(Metrics::default()));
    let (breaker, limits) = (Arc::new(Breaker::default()), QueueLimits { in_flight: PAYLOADS, batch: 512 });
    let worker = |_| {
        let worker = Worker {
            receiver: Arc::clone(&receiver),
            store: Arc::clone(database) as _,
            clock: Clock::new(|| Timestamp::MIN),
            metrics: Arc::clone(&metrics),
            breaker: Arc::clone(&breaker),
            max_batch: limits.batch,
        };
        spawn(async move { worker.work().await })
    };
    let workers = (0..writers).map(worker).collect();
    let committer = Committer {
        jobs: std::sync::Mutex::new(Some(sender)),
        room: Room::new(limits.in_flight, &metrics),
        breaker,
        workers: Mutex::new(JoinSet::new()),
        prober: std::sync::Mutex::new(JoinSet::new()),
    };
    (committer, workers)
}

/// The payloads of a request: one or two, and no two of all are of one incident.
fn items(request: usize) -> Vec<SyncItem> {
    (0..=request % 2).map(|at| item(2 * request + at)).collect()
}

fn item(number: usize) -> SyncItem {
    let text = format!(
        r#"{{"locationId":"{number}","gpsCoordinates":{{"type":"Point","coordinates":[1,2]}},"isAnonymous":false,"createdAt":"2026-11-22T10:15:30.12{number}Z"}}"#
    );
    let payload = decode(text.as_bytes()).expect("a payload").payload;
    let reporter = Arc::new(Reporter::parse("alice").expect("a reporter"));
    let key = IdempotencyKey::derive(&reporter, payload.facts.created_at);
    let id = IncidentId::derive(&IdSecret::new(&[1; 32]).expect("a secret"), key.into());
    SyncItem { id, reporter, payload }
}

/// One request, and what must be true of its answer.
async fn request(committer: Arc<Committer>, database: Arc<Database>, number: usize, weather: Weather) {
    let items = items(number);
    let begun = database.begun();
    let verdicts = match committer.commit(items.clone(), Duration::ZERO).await {
        Ok(verdicts) => verdicts,
        Err(CommitError::Late) => panic!("no time has passed"),
        Err(error) => return assert_eq!(weather, Weather::Foul, "{error}"),
    };
    assert_eq!(verdicts.len(), items.len());
    for (item, verdict) in items.iter().zip(&verdicts) {
        let of_item = verdict.as_ref().ok().and_then(|(stored, _)| stored.kept());
        assert_eq!(
            of_item.map(|incident| &incident.facts),
            is_kept(item, weather).then_some(&item.payload.facts)
        );
        assert_eq!(database.has(item.id), is_kept(item, weather));
    }
    if weather == Weather::Fair {
        // It waits for the commit that is under way and for its own.
        assert_eq!(database.transaction_of(items[0].id), Some(begun), "others were taken first");
    }
}

fn is_kept(item: &SyncItem, weather: Weather) -> bool {
    weather != Weather::Refusals || !is_refused(item)
}

/// Four requests and what becomes of them.
fn history(writers: usize, weather: Weather) {
    block_on(async move {
        let database = Arc::new(Database::new(weather));
        let (committer, workers) = committer(&database, writers);
        let committer = Arc::new(committer);
        let asked = (0..REQUESTS)
            .map(|number| spawn(request(Arc::clone(&committer), Arc::clone(&database), number, weather)));
        let asked: Vec<_> = asked.collect();
        if weather == Weather::Foul {
            for _ in 0..chance(8) {
                yield_now().await;
            }
            asked[chance(REQUESTS)].abort();
            committer.drain().await;
        }
        for request in asked {
            let _ = request.await; // what was given up has no end
        }
        committer.drain().await;
        for worker in workers {
            worker.await.expect("a worker goes on until all is answered");
        }
        let all: Vec<_> = (0..REQUESTS).flat_map(items).collect();
        assert!(committer.room.take(&all).is_some(), "somebody has kept room in the queue");
    });
}

/// Runs it in so many orders, and says so, for `tests/models/run` to count. Timers are made and never turned.
fn in_orders(many: usize, run: impl Fn() + Send + Sync + 'static) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let ran = Runner::new(RandomScheduler::new(many), Config::default()).run(run);
    println!("{ran} orders");
}

#[test]
fn every_request_has_its_own_answer_and_goes_with_the_next_commit_in_any_order() {
    in_orders(3_000, || history(1, Weather::Fair));
}

#[test]
fn a_payload_that_the_database_refuses_is_refused_alone_whoever_waits_beside_it() {
    in_orders(2_000, || history(2, Weather::Refusals));
}

#[test]
fn whatever_fails_an_answer_is_true_and_nobody_waits_for_ever() {
    in_orders(3_000, || history(2, Weather::Foul));
}
