//! A table of millions of rows becomes a partition while reports come in: how long that takes, how long an answer takes
//! meanwhile, and that each report is there once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use incident_core::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    Failure,
    database::{Kind, Rows},
    extent::Extent,
    postgres,
};

const SENDERS: i64 = 16;
const PLACE: &str = "moved-while-reporting";
/// 2024-11-23T00:00:00Z, and two years for all.
const STORED_SINCE_MS: i64 = 1_732_320_000_000;
const STORED_FOR_MS: i64 = 2 * 365 * 24 * 3600 * 1000;
/// 2026-11-24T00:00:00Z
const FIRST_MS: i64 = 1_795_478_400_000;
/// Reports go on for this long before and after.
const AROUND: Duration = Duration::from_secs(2);

/// Who reports, and what came of it.
struct Reporting {
    http: Client,
    url: String,
    token: String,
    sent: AtomicI64,
    is_over: AtomicBool,
}

/// What one sender saw.
#[derive(Default)]
struct Seen {
    acknowledged: i64,
    /// Answered 503, which phones repeat.
    again: i64,
    longest: Duration,
}

/// All figures of the move.
///
/// # Errors
/// A report that was acknowledged is not there, or not once.
pub(crate) async fn measure(extent: Extent) -> Result<Value, Failure> {
    let (kind, stored) = (Kind::Postgres(Box::new(postgres::cluster()?)), extent.moved);
    println!("storing {stored} incidents");
    let database = kind.renew("incident_moved").await?;
    let step_ms = STORED_FOR_MS / stored;
    let rows = Rows { count: stored, first_ms: STORED_SINCE_MS, step_ms, cancelled: "n % 10 = 0" };
    database.fill(rows).await?;
    let subject = database.serve(&["--max-commit-batch", "64"]).await?;
    let reporting = Arc::new(Reporting {
        http: Client::builder().no_proxy().build()?,
        url: format!("{}/api/incidents/sync", subject.url()),
        token: subject.token().to_owned(),
        sent: AtomicI64::new(0),
        is_over: AtomicBool::new(false),
    });
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        senders.spawn(Arc::clone(&reporting).send());
    }
    sleep(AROUND).await;
    let started = Instant::now();
    database.partition("2027-01-01").await?;
    let took = started.elapsed();
    sleep(AROUND).await;
    reporting.is_over.store(true, Ordering::Relaxed);
    let seen = senders.join_all().await.iter().fold(Seen::default(), Seen::and);
    subject.stop().await?;
    let [all, once, of_history] = database.counted(PLACE).await?;
    if all != stored + once
        || once < seen.acknowledged
        || once > seen.acknowledged + seen.again
        || of_history != once
    {
        return Err(format!(
            "{} acknowledged, of which {once} are there with {of_history} events; {all} in all",
            seen.acknowledged
        )
        .into());
    }
    Ok(json!({
        "stored": stored,
        "database": kind.version().await?,
        "seconds": took.as_secs_f64(),
        "acknowledgedMeanwhile": seen.acknowledged,
        "answeredSendAgain": seen.again,
        "longestAnswerMs": seen.longest.as_secs_f64() * 1000.0,
    }))
}

impl Reporting {
    async fn send(self: Arc<Self>) -> Seen {
        let mut seen = Seen::default();
        while !self.is_over.load(Ordering::Relaxed) {
            let started = Instant::now();
            let created_at = Timestamp::from_unix_ms(FIRST_MS + self.sent.fetch_add(1, Ordering::Relaxed));
            let payload = json!({
                "locationId": PLACE,
                "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
                "isAnonymous": false,
                "createdAt": created_at.expect("a moment of that day"),
            });
            let request = self.http.post(&self.url).bearer_auth(&self.token);
            let request = request.header("Content-Type", "application/json").body(payload.to_string());
            match request.send().await {
                Ok(answer) if answer.status() == 201 => seen.acknowledged += 1,
                _ => seen.again += 1,
            }
            seen.longest = seen.longest.max(started.elapsed());
        }
        seen
    }
}

impl Seen {
    fn and(self, other: &Self) -> Self {
        Self {
            acknowledged: self.acknowledged + other.acknowledged,
            again: self.again + other.again,
            longest: self.longest.max(other.longest),
        }
    }
}
