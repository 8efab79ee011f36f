//! Every documented list with every combination of its filters, on ten million stored incidents, for both roles.
//!
//! Nearly all are cancelled and the few open ones are the oldest, so that whoever walks the table to find them is late.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use incident_core::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    Failure,
    database::{Database, Kind, Rows},
    extent::{Extent, PLACES, REPORTERS},
    machine, postgres,
    results::median,
};

/// 2024-11-23T00:00:00Z
const FIRST_MS: i64 = 1_732_320_000_000;
const STEP_MS: i64 = 6_000;
/// The first thousand are open.
const CANCELLED: &str = "n >= 1000";
/// How often each list is asked for, each time for another place, person and time.
const TIMES: usize = 25;
const INCIDENTS: &str = "/api/incidents";

/// All figures of this part.
pub(crate) async fn measure(extent: Extent) -> Result<Value, Failure> {
    let postgres = Kind::Postgres(Box::new(postgres::cluster()?));
    Ok(json!({
        "sqlite": on(&Kind::Sqlite, extent.listed).await?,
        "postgres": on(&postgres, extent.listed).await?,
    }))
}

async fn on(kind: &Kind, stored: i64) -> Result<Value, Failure> {
    println!("storing {stored} incidents");
    let database = kind.renew("incident_lists").await?;
    let rows = Rows { count: stored, first_ms: FIRST_MS, step_ms: STEP_MS, cancelled: CANCELLED };
    database.fill(rows).await?;
    let subject = database.serve(&[]).await?;
    let asking =
        Asking { url: subject.url().to_owned(), stored, http: Client::builder().no_proxy().build()? };
    let mut lists = BTreeMap::new();
    for query in queries() {
        lists.insert(query.name(), asking.times(&database, query).await?);
    }
    let further = further(&asking, &database).await?;
    subject.stop().await?;
    let slowest = lists.values().filter_map(|times| times["p96Ms"].as_f64()).fold(0.0, f64::max);
    Ok(json!({
        "database": kind.version().await?,
        "stored": stored,
        "timesEach": TIMES,
        "loadAverage": machine::load_average()?,
        "slowestP96Ms": slowest,
        "lists": lists,
        "further": further,
    }))
}

const FILTERS: [&str; 3] = ["locationId", "createdAfter", "createdBefore"];

/// What a list is asked for; of a reporter's own, or of all.
#[derive(Debug, Clone, Copy)]
struct Query {
    own: bool,
    status: Option<&'static str>,
    /// Which of `FILTERS`.
    filtered: [bool; 3],
}

/// All combinations.
fn queries() -> impl Iterator<Item = Query> {
    let bits = (0..16).map(|bits: u8| [1, 2, 4, 8].map(|bit| bits & bit != 0));
    let statuses = [None, Some("Open"), Some("Cancelled")];
    bits.flat_map(move |[own, filtered @ ..]| statuses.map(|status| Query { own, status, filtered }))
}

impl Query {
    /// The filters' names, without the status.
    fn filters(self) -> impl Iterator<Item = &'static str> {
        FILTERS.into_iter().zip(self.filtered).filter(|(_, asked)| *asked).map(|(name, _)| name)
    }

    fn name(self) -> String {
        let status = self.status.map(|status| format!("status={status}"));
        let filters: Vec<_> = status.into_iter().chain(self.filters().map(str::to_owned)).collect();
        format!("{} {}", if self.own { "own" } else { "all" }, filters.join("&")).trim_end().to_owned()
    }

    /// The query string the n-th time.
    fn string(self, n: usize, stored: i64) -> Result<String, Failure> {
        let moment = |share: i64| Timestamp::from_unix_ms(FIRST_MS + stored * STEP_MS / 100 * share);
        let percent = i64::try_from(n * 90 / TIMES)?;
        let mut asked = vec!["limit=50".to_owned()];
        asked.extend(self.status.map(|status| format!("status={status}")));
        for name in self.filters() {
            let value = match name {
                "createdAfter" => moment(percent)?.to_string(),
                "createdBefore" => moment(percent + 10)?.to_string(),
                _ => format!("location-{}", n * 37 % PLACES),
            };
            asked.push(format!("{name}={value}"));
        }
        Ok(asked.join("&"))
    }
}

/// Who asks, on which server.
struct Asking {
    url: String,
    stored: i64,
    http: Client,
}

impl Asking {
    /// How long a list takes: the middle and nearly the worst.
    async fn times(&self, database: &Database, query: Query) -> Result<Value, Failure> {
        let mut times = Vec::new();
        for n in 0..TIMES {
            let reporter = format!("reporter-{}", n * 401 % REPORTERS);
            let token = if query.own { database.token(&reporter, None)? } else { responder(database)? };
            let path = format!("{INCIDENTS}?{}", query.string(n, self.stored)?);
            times.push(self.get(&path, &token).await?.1);
        }
        Ok(summary(times))
    }

    async fn get(&self, path: &str, token: &str) -> Result<(Value, Duration), Failure> {
        let asked = Instant::now();
        let answer = self.http.get(format!("{}{path}", self.url)).bearer_auth(token).send().await?;
        let status = answer.status();
        let body = answer.bytes().await?;
        let took = asked.elapsed();
        if !status.is_success() {
            return Err(format!("{path} was answered {status} after {took:?}").into());
        }
        Ok((serde_json::from_slice(&body)?, took))
    }
}

fn responder(database: &Database) -> Result<String, Failure> {
    database.token("responder", Some("incidents:read"))
}

/// What else is read: the changes from any place, and one incident with its history.
async fn further(asking: &Asking, database: &Database) -> Result<Value, Failure> {
    let token = responder(database)?;
    let mut times: [Vec<Duration>; 4] = Default::default();
    let mut cursor = String::new();
    for n in 0..TIMES {
        let path = format!("{INCIDENTS}/changes?limit=100{cursor}");
        let (page, took) = asking.get(&path, &token).await?;
        times[0].push(took);
        cursor = format!("&after={}", page["nextCursor"].as_str().ok_or("a page has a cursor")?);
        let id = page["changes"][n]["incident"]["id"].as_str().ok_or("a change has an incident")?;
        for (times, path) in times[1..].iter_mut().zip(["changes?after=latest", id, &format!("{id}/history")])
        {
            times.push(asking.get(&format!("{INCIDENTS}/{path}"), &token).await?.1);
        }
    }
    let [changes, latest, incident, history] = times.map(summary);
    Ok(json!({ "changes": changes, "latest": latest, "incident": incident, "history": history }))
}

fn summary(times: Vec<Duration>) -> Value {
    let mut times: Vec<f64> = times.into_iter().map(|took| took.as_secs_f64() * 1000.0).collect();
    times.sort_by(f64::total_cmp);
    let nearly_worst = times[times.len() - 2];
    json!({ "p50Ms": median(times), "p96Ms": nearly_worst })
}
