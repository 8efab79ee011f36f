//! People who report, call off and repeat while servers are killed, and one who follows the changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use incident_core::Timestamp;
use incident_server::Clock;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

use crate::{
    Failure,
    feed::{Change, Reader},
    judge::{Outcome, judge, lost},
    ledger::Ledger,
};

/// So many report at once.
const REPORTERS: usize = 8;
/// Before a server that was killed, or is busy, is asked again.
const PAUSE: Duration = Duration::from_millis(5);

/// A load that goes on until it is ended.
pub(crate) struct Load {
    pub(crate) ledger: Arc<Ledger>,
    is_over: Arc<AtomicBool>,
    reporters: JoinSet<Result<(), Failure>>,
    followed: JoinHandle<Vec<Change>>,
    /// The change after which nobody follows any more.
    last: watch::Sender<Option<String>>,
    reader: Arc<Reader>,
}

/// One who reports, to each server in turn.
struct Reporter {
    number: usize,
    client: Client,
    urls: Vec<String>,
    token: String,
    first_ms: i64,
    ledger: Arc<Ledger>,
}

impl Load {
    /// Begins to report to these servers.
    pub(crate) fn begin(
        urls: &[String],
        token: impl Fn(&str, Option<&str>) -> Result<String, Failure>,
    ) -> Result<Self, Failure> {
        let (ledger, is_over) = (Arc::<Ledger>::default(), Arc::<AtomicBool>::default());
        let reader = token("responder", Some(incident_server::auth::READ_SCOPE))?;
        let reader = Arc::new(Reader::new(urls.to_owned(), reader)?);
        let mut reporters = JoinSet::new();
        for number in 0..REPORTERS {
            let reporter = Reporter {
                number,
                client: Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?,
                urls: urls.to_owned(),
                token: token(&format!("reporter-{number}"), None)?,
                first_ms: Clock::system().now().unix_ms() - 3_600_000,
                ledger: Arc::clone(&ledger),
            };
            let is_over = Arc::clone(&is_over);
            reporters.spawn(async move { reporter.live(&is_over).await });
        }
        let (last, until) = watch::channel(None);
        let (one, of) = (Arc::clone(&reader), Arc::clone(&ledger));
        let followed = tokio::spawn(async move { one.follow(&of, until).await });
        Ok(Self { ledger, is_over, reporters, followed, last, reader })
    }

    /// Lets everybody end what they are at, and judges.
    pub(crate) async fn end(mut self) -> Result<(Outcome, Duration), Failure> {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(ended) = self.reporters.join_next().await {
            ended??;
        }
        let (acknowledged, silence) = self.ledger.close()?;
        let all = self.reader.all_once(|all| lost(&acknowledged, all) == 0).await?;
        self.last.send_replace(all.last().map(|change| change.cursor.clone()));
        let followed = timeout(Duration::from_secs(60), self.followed).await??;
        self.ledger.close()?;
        Ok((judge(&acknowledged, &all, &followed), silence))
    }
}

impl Reporter {
    async fn live(&self, is_over: &AtomicBool) -> Result<(), Failure> {
        for report in 0.. {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let location = format!("ward-{}-{report}", self.number);
            self.settle(&self.payload(report, None)?).await?;
            self.ledger.acknowledge(&location, false);
            if report % 3 == 0 {
                let answer = self.settle(&self.payload(report, Some("false alarm"))?).await?;
                self.ledger.acknowledge(&location, true);
                if answer["incident"]["status"] != "Cancelled" {
                    self.ledger.fault(format!("{location} was called off and is open"));
                }
            }
            if report % 7 == 6
                && self.settle(&self.payload(report / 2, None)?).await?["outcome"] != "unchanged"
            {
                self.ledger.fault(format!("the repeat of report {} is not known as one", report / 2));
            }
        }
        Ok(())
    }

    fn payload(&self, report: u32, reason: Option<&str>) -> Result<Value, Failure> {
        let created_at = Timestamp::from_unix_ms(self.first_ms + i64::from(report))?;
        Ok(json!({
            "locationId": format!("ward-{}-{report}", self.number),
            "gpsCoordinates": { "type": "Point", "coordinates": [12.4924, 41.8902] },
            "isAnonymous": false,
            "createdAt": created_at,
            "cancellationReason": reason,
        }))
    }

    /// Sends until it is acknowledged. Who is refused was not at fault.
    async fn settle(&self, payload: &Value) -> Result<Value, Failure> {
        let mut turn = self.number;
        loop {
            let url = format!("{}/api/incidents/sync", self.urls[turn % self.urls.len()]);
            let sent = self.client.post(url).bearer_auth(&self.token).json(payload).send().await;
            if let Ok(answer) = sent {
                let status = answer.status();
                match answer.json().await {
                    Ok(answer) if matches!(status, StatusCode::OK | StatusCode::CREATED) => {
                        return Ok(answer);
                    }
                    Ok(answer) if status != StatusCode::SERVICE_UNAVAILABLE => {
                        return Err(format!("{status}: {answer}").into());
                    }
                    _ => {}
                }
            }
            turn += 1;
            tokio::time::sleep(PAUSE).await;
        }
    }
}
