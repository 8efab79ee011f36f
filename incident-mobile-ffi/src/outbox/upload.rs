//! The next request: which entries go, in which form.

use super::change::Change;
use incident_core::IdempotencyKey;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Moment, Outbox, OutboxError,
    entry::PENDING,
    pace::{LONGEST_BACK_OFF_MS, Pace},
    protocol::{Header, NextUpload, Upload, WaitReason},
};

/// One entry alone.
pub const SYNC_PATH: &str = "/api/incidents/sync";
/// Several at once.
pub const BATCH_PATH: &str = "/api/incidents/sync/batch";
/// The most entries of one upload.
pub const MAX_UPLOAD_ENTRIES: usize = 100;
/// The most bytes of one upload, unless a single entry is longer.
pub const MAX_UPLOAD_BYTES: usize = 256 * 1024;

/// What an entry of a batch takes beside its payload: its key in quotes, and two commas.
const BYTES_BESIDE: usize = 40;

const SINGLE_TIMEOUT_MS: i64 = 30_000;
const BATCH_TIMEOUT_MS: i64 = 60_000;
/// How long after its time-out an upload that nobody completed is given up.
const GRACE_MS: i64 = 15_000;

/// The upload under way: what it held.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) id: i64,
    pub(super) items: Vec<Item>,
    started_ms: i64,
    deadline_ms: i64,
}

/// One entry as it was when it was sent.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) seq: i64,
    pub(super) key: IdempotencyKey,
    pub(super) revision: i64,
    payload: String,
}

/// How many entries an upload may have: halved by refusals, doubled by successes, capped by what was too large.
#[derive(Debug)]
pub(super) struct BatchSize {
    now: usize,
    cap: usize,
}

impl BatchSize {
    pub(super) const fn full() -> Self {
        Self { now: MAX_UPLOAD_ENTRIES, cap: MAX_UPLOAD_ENTRIES }
    }

    /// Half of `sent` at most; `for_good` where the server said that it was too large.
    pub(super) fn halve(&mut self, sent: usize, for_good: bool) {
        self.now = (sent / 2).max(1);
        if for_good {
            self.cap = self.now;
        }
    }

    pub(super) fn grow(&mut self) {
        self.now = (self.now * 2).min(self.cap);
    }
}

impl Outbox {
    /// Says what to send next, oldest report first.
    ///
    /// While an upload is under way the answer is to wait, at most until its time-out.
    ///
    /// # Errors
    /// Those of the file.
    pub fn next_upload(&mut self, now_ms: i64) -> Result<NextUpload, OutboxError> {
        let result = self.decide(now_ms);
        self.heal(result)
    }

    fn decide(&mut self, now_ms: i64) -> Result<NextUpload, OutboxError> {
        if let Some(flight) = &self.in_flight
            && (flight.started_ms..flight.deadline_ms).contains(&now_ms)
        {
            return Ok(wait(flight.deadline_ms, WaitReason::AnotherSender));
        }
        self.in_flight = None;
        let reporter = self.reporter.as_str();
        let items = self.pick(now_ms)?;
        let turn_ms = if items.is_empty() { next_turn_ms(self.file.read(), reporter, now_ms)? } else { None };
        if items.is_empty() && turn_ms.is_none() {
            return self.pause(NextUpload::Idle);
        }
        if let Some(why) = self.sign_in {
            return self.pause(NextUpload::SignIn { why, detail: why.words().to_owned() });
        }
        if let Some((until_ms, why)) = self.wait(now_ms)? {
            return self.pause(wait(until_ms, why));
        }
        if let Some(until_ms) = turn_ms {
            return self.pause(wait(until_ms, WaitReason::ServerBusy));
        }
        if !self.sender.holds(now_ms) {
            let sender = &mut self.sender;
            let held = self
                .file
                .write(&self.options, Change::Lease, |transaction| sender.take(transaction, now_ms))?;
            if let Some(until_ms) = held {
                return Ok(wait(until_ms, WaitReason::AnotherSender));
            }
        }
        Ok(NextUpload::Send { upload: self.start(items, now_ms) })
    }

    /// What goes next. An entry that drew a server error goes alone, and only after a success or when there is
    /// nothing else: so neither does it hold up the others nor they it.
    fn pick(&self, now_ms: i64) -> Result<Vec<Item>, OutboxError> {
        let (connection, reporter) = (self.file.read(), self.reporter.as_str());
        if self.went_well {
            let struck = struck(connection, reporter, now_ms)?;
            if !struck.is_empty() {
                return Ok(struck);
            }
        }
        let fresh = fresh(connection, reporter, self.batch_size.now)?;
        if fresh.is_empty() { struck(connection, reporter, now_ms) } else { Ok(fresh) }
    }

    /// Until when the whole queue waits, and why.
    fn wait(&mut self, now_ms: i64) -> Result<Option<(i64, WaitReason)>, OutboxError> {
        let reporter = self.reporter.as_str();
        let mut pace = Pace::load(self.file.read(), reporter)?;
        let Some((until_ms, why, stepped_back)) = pace.wait(now_ms) else { return Ok(None) };
        if stepped_back {
            self.file.write(&self.options, Change::Wait, |transaction| pace.save(transaction, reporter))?;
        }
        Ok(Some((until_ms, why)))
    }

    /// Rests before the app goes away for a while.
    fn pause(&mut self, next: NextUpload) -> Result<NextUpload, OutboxError> {
        self.rest()?;
        Ok(next)
    }

    /// Gives the lease back, and leaves nothing erased in the log.
    pub(super) fn rest(&mut self) -> Result<(), OutboxError> {
        if self.sender.has_lease() {
            let sender = &mut self.sender;
            self.file.write(&self.options, Change::Lease, |transaction| sender.give_back(transaction))?;
        }
        if std::mem::take(&mut self.erased) {
            self.file.forget()?;
        }
        Ok(())
    }

    fn start(&mut self, items: Vec<Item>, now_ms: i64) -> Upload {
        self.uploads += 1;
        let id = self.uploads;
        let json = Header { name: "Content-Type".into(), value: "application/json".into() };
        let accept =
            Header { name: "Accept".into(), value: "application/json, application/problem+json".into() };
        let mut headers = vec![json, accept];
        let (path, body, timeout_ms) = if let [only] = &items[..] {
            headers.push(Header { name: "Idempotency-Key".into(), value: format!("\"{}\"", only.key) });
            (SYNC_PATH, only.payload.clone(), SINGLE_TIMEOUT_MS)
        } else {
            // Canonical texts side by side are what `incident_core::encode_batch` writes. The keys keep the server
            // from storing them as another person's, under another token.
            let payloads: Vec<_> = items.iter().map(|item| item.payload.as_str()).collect();
            let keys: Vec<_> = items.iter().map(|item| format!("\"{}\"", item.key)).collect();
            let (payloads, keys) = (payloads.join(","), keys.join(","));
            let body = format!("{{\"incidents\":[{payloads}],\"idempotencyKeys\":[{keys}]}}");
            (BATCH_PATH, body, BATCH_TIMEOUT_MS)
        };
        let deadline_ms = now_ms + timeout_ms + GRACE_MS;
        self.in_flight = Some(InFlight { id, items, started_ms: now_ms, deadline_ms });
        Upload { id, method: "POST".into(), path: path.into(), headers, body: body.into_bytes(), timeout_ms }
    }
}

fn wait(until_ms: i64, why: WaitReason) -> NextUpload {
    NextUpload::Wait { until: Moment(until_ms), why, detail: why.words().to_owned() }
}

/// The oldest entries that drew no server error and may go together: one anonymous entry, or many others.
fn fresh(connection: &Connection, reporter: &str, most: usize) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE reporter = ?1 AND state = 0 AND strikes = 0 AND anonymous = ?2 ORDER BY seq";
    let anonymous = select(connection, &format!("{sql} LIMIT 1"), params![reporter, true], 1)?;
    let mut named = select(connection, sql, params![reporter, false], most)?;
    let oldest = |items: &[Item]| items.first().map_or(i64::MAX, |item| item.seq);
    if oldest(&anonymous) < oldest(&named) {
        return Ok(anonymous);
    }
    let mut bytes = 0;
    let fits = named.iter().take_while(|item| {
        bytes += item.payload.len() + BYTES_BESIDE;
        bytes + 64 <= MAX_UPLOAD_BYTES
    });
    let fits = fits.count().max(1);
    named.truncate(fits);
    Ok(named)
}

/// The entry that drew the fewest server errors and whose own wait is over.
fn struck(connection: &Connection, reporter: &str, now_ms: i64) -> Result<Vec<Item>, OutboxError> {
    let sql = "WHERE reporter = ?1 AND state = 0 AND strikes > 0
                 AND (not_before_ms <= ?2 OR not_before_ms > ?2 + ?3)
               ORDER BY strikes, seq LIMIT 1";
    select(connection, sql, params![reporter, now_ms, LONGEST_BACK_OFF_MS], 1)
}

fn select(
    connection: &Connection,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
    most: usize,
) -> Result<Vec<Item>, OutboxError> {
    let sql = format!("SELECT seq, key, revision, payload FROM entry {which}");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement
        .query_map(values, |row| Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?)))?;
    let mut items = Vec::new();
    for row in rows.take(most) {
        let (seq, key, revision, payload) = row?;
        let key = key.parse().map_err(|_| OutboxError::Corrupt)?;
        items.push(Item { seq, key, revision, payload });
    }
    Ok(items)
}

/// When the first entry that waits for itself may go again.
fn next_turn_ms(connection: &Connection, reporter: &str, now_ms: i64) -> Result<Option<i64>, OutboxError> {
    let sql = "SELECT min(not_before_ms) FROM entry WHERE reporter = ?1 AND state = ?2 AND strikes > 0";
    let turn: Option<Option<i64>> =
        connection.prepare_cached(sql)?.query_row(params![reporter, PENDING], |row| row.get(0)).optional()?;
    Ok(turn.flatten().map(|turn_ms| turn_ms.clamp(now_ms, now_ms + LONGEST_BACK_OFF_MS)))
}
