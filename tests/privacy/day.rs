//! The day itself: every phone acts at its moments, and the metrics are scraped every 15 s.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap},
};

use fastrand::Rng;
use incident_core::IncidentId;
use incident_tests::Client;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Failure, network,
    phone::{Habits, Next, Phone},
    service::{Service, set_time},
    world::{DAY_MS, MORNING_MS, Size, people},
};

const SCRAPE_MS: i64 = 15_000;

/// What the day left, besides what the server keeps.
pub(crate) struct Day {
    /// Who reported each incident; nobody but the phones knows.
    pub(crate) truth: HashMap<IncidentId, usize>,
    /// How many incidents had been created when the metrics were scraped.
    pub(crate) scrapes: Vec<(i64, u64)>,
    pub(crate) subs: Vec<String>,
}

/// Lets the phones live until everything is delivered.
pub(crate) async fn live(service: &Service, size: Size, habits: &Habits) -> Result<Day, Failure> {
    let mut random = Rng::with_seed(size.seed + 1);
    let folder = TempDir::with_prefix("incident-phones-")?;
    let new = |person| Phone::new(person, habits, random.u64(..), folder.path(), MORNING_MS);
    let mut phones: Vec<Phone> = people(size).into_iter().map(new).collect::<Result<_, _>>()?;
    let subs: Vec<String> = phones.iter().map(|phone| phone.sub().to_owned()).collect();
    let scraper = service.responder();
    let client = |sub: &String| scraper.with_token(service.token(sub, None));
    let clients: Vec<Client> = subs.iter().map(client).collect();
    let mut day = Day { truth: HashMap::new(), scrapes: Vec::new(), subs };
    let mut wakes: BinaryHeap<_> = (0..phones.len()).map(|phone| Reverse((MORNING_MS, phone))).collect();
    while let Some(Reverse((now_ms, number))) = wakes.pop() {
        day.scrape_until(&scraper, now_ms).await;
        set_time(now_ms);
        let phone = &mut phones[number];
        match phone.next(now_ms)? {
            Next::Send(upload) => {
                let (answer, body) = network::send(&clients[number], &upload, habits).await?;
                day.remember(&body, number)?;
                phone.complete(&upload, &answer, now_ms)?;
                wakes.push(Reverse((now_ms + Rng::with_seed(now_ms.unsigned_abs()).i64(80..400), number)));
            }
            Next::Wait(until_ms) => wakes.push(Reverse((until_ms, number))),
            Next::Done => {}
        }
    }
    Ok(day)
}

impl Day {
    fn remember(&mut self, answer: &Value, person: usize) -> Result<(), Failure> {
        let alone = [answer.clone()];
        let results = answer["results"].as_array().map_or(&alone[..], Vec::as_slice);
        for result in results {
            let id = result["incident"]["id"].as_str().ok_or_else(|| format!("not taken: {answer:?}"))?;
            self.truth.insert(id.parse()?, person);
        }
        Ok(())
    }

    async fn scrape_until(&mut self, scraper: &Client, now_ms: i64) {
        loop {
            let next_ms = self.scrapes.last().map_or(MORNING_MS, |(at, _)| at + SCRAPE_MS);
            // The last phones are a few minutes behind the day.
            if next_ms > now_ms || next_ms > MORNING_MS + 2 * DAY_MS {
                return;
            }
            set_time(next_ms);
            let metrics = scraper.get("/metrics").await.text;
            self.scrapes.push((next_ms, created(&metrics)));
        }
    }
}

/// How many incidents the counters say were created.
fn created(metrics: &str) -> u64 {
    let counts = metrics.lines().filter(|line| line.starts_with("incident_outcomes_total{outcome=\"created"));
    counts.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).sum()
}
