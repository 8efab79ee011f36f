//! What is measured on either database, in turns: every round measures every case once, so that a machine whose speed
//! drifts slows all alike.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Failure,
    crowd::Crowd,
    database::{Database, Kind, Rows},
    extent::Extent,
    machine::Watch,
    peers,
    summary::summary,
    wrk::{Load, MANY, Measured, ONE, What},
};

/// 2026-11-23T00:00:00Z: later than everything that is stored before, as reports from phones are.
const FIRST_MS: i64 = 1_795_392_000_000;
/// Each load has a time of its own, so that none meets the reports of another; it has room for 200,000 a second.
const SPAN_MS: i64 = 1_200_000;
/// What is stored before is of the two years before.
const STORED_SINCE_MS: i64 = FIRST_MS - STORED_FOR_MS;
const STORED_FOR_MS: i64 = 2 * 365 * 24 * 3600 * 1000;
/// Which of what is stored before is cancelled.
const A_TENTH: &str = "n % 10 = 0";
/// How often in a row a case may be measured again because something else used the machine. What was disturbed is thrown
/// away; a guest that comes and goes costs time, and one that stays ends the run.
const DISTURBANCES: usize = 5;

/// Who is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// Our server with further flags.
    Server(&'static [&'static str]),
    /// Our server with the keys of this algorithm, and tokens under them.
    KeySet(&'static str),
    /// The database alone, on the tables' own terms.
    Bulk,
    Pgbench,
    Fastify,
}

/// A row of the results.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) by: By,
    /// On a new database rather than on the one with millions of rows.
    pub(crate) on_empty: bool,
    pub(crate) load: Load,
}

const fn case(name: &'static str, load: Load) -> Case {
    Case { name, by: By::Server(&[]), on_empty: false, load }
}

const BATCHES: Load = Load { payloads: 100, ..MANY };
/// 64 batches of 100 are more payloads at once than may wait by default; the others would be 503.
const ROOM_FOR_BATCHES: By = By::Server(&["--max-in-flight", "8192"]);

/// What is measured on both.
pub(crate) const BOTH: &[Case] = &[
    Case { on_empty: true, ..case("oneReporterOnEmpty", ONE) },
    Case { on_empty: true, ..case("manyOnEmpty", MANY) },
    case("many", MANY),
    Case { by: By::KeySet("ES256"), ..case("manyWithEs256", MANY) },
    Case { by: By::KeySet("RS256"), ..case("manyWithRs256", MANY) },
    case("newConnections", Load { reconnects: true, ..MANY }),
    // A line of the log for each would be written otherwise, which no report that is taken has.
    Case { by: By::Server(&["--log", "warn"]), ..case("refused", Load { what: What::Refused, ..MANY }) },
    case("health", Load { what: What::Health, ..ONE }),
    case("replays", Load { cycle: 1000, ..ONE }),
    Case {
        by: ROOM_FOR_BATCHES,
        on_empty: true,
        ..case("batchesOfOneReporterOnEmpty", Load { payloads: 100, ..ONE })
    },
    Case { by: ROOM_FOR_BATCHES, ..case("batches", BATCHES) },
    Case { by: By::Bulk, ..case("bulkInsert", BATCHES) },
];

/// What is measured on one of them: SQLite.
pub(crate) const ON_SQLITE: &[Case] =
    &[Case { by: By::Server(&["--max-commit-batch", "1"]), ..case("oneATransaction", MANY) }];

/// The same: PostgreSQL.
pub(crate) const ON_POSTGRES: &[Case] =
    &[Case { by: By::Pgbench, ..case("pgbench", MANY) }, Case { by: By::Fastify, ..case("fastify", MANY) }];

/// Everything that the cases of one database share.
pub(crate) struct Bench {
    pub(crate) kind: Kind,
    pub(crate) extent: Extent,
    /// Processes beside our children that belong to the benchmark.
    pub(crate) ours: Vec<u32>,
    stored: Database,
    hs256: Crowd,
    key_sets: BTreeMap<&'static str, Crowd>,
    loads: i64,
}

impl Bench {
    /// Fills a database with what was reported in two years.
    pub(crate) async fn fill(
        kind: Kind,
        extent: Extent,
        ours: Vec<u32>,
        stored: i64,
    ) -> Result<Self, Failure> {
        println!("storing {stored} incidents");
        let full = kind.renew("incident_full").await?;
        let step_ms = STORED_FOR_MS / stored;
        full.insert(Rows { count: stored, first_ms: STORED_SINCE_MS, step_ms, cancelled: A_TENTH }).await?;
        let mut key_sets = BTreeMap::new();
        for algorithm in ["ES256", "RS256"] {
            key_sets.insert(algorithm, Crowd::of_key_set(algorithm)?);
        }
        let hs256 = Crowd::hs256()?;
        Ok(Self { kind, extent, ours, stored: full, hs256, key_sets, loads: 0 })
    }

    /// All rounds of all cases, a summary each.
    pub(crate) async fn measure(&mut self, cases: &[Case]) -> Result<Value, Failure> {
        let mut measured: BTreeMap<&str, Vec<Measured>> = BTreeMap::new();
        for round in 1..=self.extent.rounds {
            for case in cases {
                let one = self.undisturbed(case).await?;
                println!("round {round}, {}: {:.0}/s", case.name, one.per_second);
                measured.entry(case.name).or_default().push(one);
            }
        }
        Ok(measured.into_iter().map(|(name, rounds)| (name.to_owned(), summary(&rounds))).collect())
    }

    async fn undisturbed(&mut self, case: &Case) -> Result<Measured, Failure> {
        let mut attempt = 0;
        loop {
            let (measured, disturbance) = self.once(case).await?;
            match disturbance {
                Some(what) if self.extent.is_trial => println!("{}: {what}", case.name),
                Some(what) if attempt < DISTURBANCES => {
                    println!("{}: {what}; once more", case.name);
                    attempt += 1;
                    continue;
                }
                Some(what) => return Err(format!("the machine is shared: {what}").into()),
                None => {}
            }
            return Ok(measured);
        }
    }

    async fn once(&mut self, case: &Case) -> Result<(Measured, Option<String>), Failure> {
        let first_ms = FIRST_MS + SPAN_MS * self.loads;
        self.loads += 1;
        let empty = if case.on_empty { Some(self.kind.renew("incident_empty").await?) } else { None };
        let database = empty.as_ref().unwrap_or(&self.stored);
        database.checkpoint().await?;
        let seconds = self.extent.seconds;
        let watch = Watch::new(&self.ours)?;
        let measured = match case.by {
            By::Server(flags) => serve(database, &self.hs256, flags, case.load, first_ms, seconds).await?,
            By::KeySet(kind) => {
                serve(database, &self.key_sets[kind], &[], case.load, first_ms, seconds).await?
            }
            By::Bulk => bulk(database, self.extent.bulk, first_ms).await?,
            By::Pgbench => peers::pgbench(database, first_ms, seconds).await?,
            By::Fastify => peers::fastify(database, &self.hs256, first_ms, seconds).await?,
        };
        Ok((measured, watch.disturbance()?))
    }
}

async fn serve(
    database: &Database,
    crowd: &Crowd,
    flags: &[&str],
    load: Load,
    first_ms: i64,
    seconds: u32,
) -> Result<Measured, Failure> {
    let subject = database.serve(&[&crowd.flags(), flags].concat()).await?;
    if load.cycle > 0 {
        load.send(subject.url(), crowd, first_ms, 1).await?;
    }
    let measured = load.send(subject.url(), crowd, first_ms, seconds).await?;
    let memory_mib = Some(subject.memory_mib("VmHWM:")?);
    subject.stop().await?;
    Ok(Measured { memory_mib, ..measured })
}

#[expect(clippy::cast_precision_loss, reason = "of a few million rows")]
async fn bulk(database: &Database, count: i64, first_ms: i64) -> Result<Measured, Failure> {
    let took = database.insert(Rows { count, first_ms, step_ms: 1, cancelled: A_TENTH }).await?;
    Ok(Measured { per_second: count as f64 / took.as_secs_f64(), ..Measured::default() })
}

/// One figure of a row divided by that of another.
pub(crate) fn ratio(rows: &Value, row: &str, other: &str) -> Value {
    let of = |name: &str| rows[name]["perSecond"].as_f64().unwrap_or(f64::NAN);
    json!(of(row) / of(other))
}
