//! The changes of all incidents, as a reader sees them that follows while servers are killed.

use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use serde::Deserialize;
use tokio::sync::watch;

use crate::{Failure, ledger::Ledger};

/// Between two looks, and before a server that was killed is asked again.
const PAUSE: Duration = Duration::from_millis(10);
/// How long a change may be held back.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Change {
    pub(crate) cursor: String,
    pub(crate) kind: String,
    pub(crate) incident: Incident,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Incident {
    pub(crate) id: String,
    pub(crate) location_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    changes: Vec<Change>,
    next_cursor: String,
}

/// Somebody who may read all incidents.
pub(crate) struct Reader {
    client: Client,
    urls: Vec<String>,
    token: String,
}

impl Reader {
    /// Asks these servers in turn.
    pub(crate) fn new(urls: Vec<String>, token: String) -> Result<Self, Failure> {
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(20)).build()?;
        Ok(Self { client, urls, token })
    }

    /// Every change from the beginning.
    async fn all(&self) -> Result<Vec<Change>, Failure> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.page(0, &after).await?;
            if page.changes.is_empty() {
                return Ok(all);
            }
            all.extend(page.changes);
            after = page.next_cursor;
        }
    }

    /// Follows until it is told after which change to stop. What is in the changes must be found by its id at once, at any
    /// server, whichever database that reads from.
    pub(crate) async fn follow(&self, ledger: &Ledger, last: watch::Receiver<Option<String>>) -> Vec<Change> {
        let (mut followed, mut after) = (Vec::<Change>::new(), String::new());
        for turn in 0.. {
            if last
                .borrow()
                .as_ref()
                .is_some_and(|last| followed.iter().rev().any(|change| change.cursor == *last))
            {
                break;
            }
            let Ok(page) = self.page(turn, &after).await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            after = page.next_cursor;
            match page.changes.last() {
                Some(last) => self.find(turn + 1, &last.incident.id, ledger).await,
                None => tokio::time::sleep(PAUSE).await,
            }
            followed.extend(page.changes);
        }
        followed
    }

    /// Every change, once they are whole, or else after a while: one that is not settled yet holds those behind it back.
    pub(crate) async fn all_once(
        &self,
        are_whole: impl Fn(&[Change]) -> bool,
    ) -> Result<Vec<Change>, Failure> {
        let began = Instant::now();
        loop {
            let all = self.all().await?;
            if are_whole(&all) || began.elapsed() > PATIENCE {
                return Ok(all);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn page(&self, turn: usize, after: &str) -> Result<Page, Failure> {
        let after = if after.is_empty() { String::new() } else { format!("&after={after}") };
        let answer = self.ask(turn, &format!("/changes?limit=1000{after}")).await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn find(&self, turn: usize, id: &str, ledger: &Ledger) {
        if let Ok(answer) = self.ask(turn, &format!("/{id}")).await
            && !matches!(answer.status(), StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE)
        {
            ledger.fault(format!("{id} is in the changes, and its page answers {}", answer.status()));
        }
    }

    async fn ask(&self, turn: usize, path: &str) -> reqwest::Result<reqwest::Response> {
        let url = &self.urls[turn % self.urls.len()];
        self.client.get(format!("{url}/api/incidents{path}")).bearer_auth(&self.token).send().await
    }
}
