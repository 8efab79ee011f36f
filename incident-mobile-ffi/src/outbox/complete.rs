//! An answer comes back: every entry of the upload gets its due, in one transaction.

use incident_core::IdempotencyKey;
use rusqlite::{Transaction, params};
use serde_json::Value;

use super::{
    Outbox, OutboxError, Progress, WaitReason,
    answer::{Verdict, judge},
    entry::{PENDING, QUARANTINED, SETTLED, ServerIncident, Trouble, to_json},
    pace::{Pace, back_off_ms, retry_after_ms},
    prune,
    upload::{Header, Item},
};

/// How many server errors one entry may draw alone while others succeed.
pub const MAX_STRIKES: i64 = 20;

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadResult {
    /// The server, or somebody in its place, answered.
    Response {
        /// The HTTP status.
        status: i64,
        /// As received.
        headers: Vec<Header>,
        /// As received.
        body: Vec<u8>,
    },
    /// No answer: no network, no address, a time-out, a broken connection.
    NetworkFailure,
    /// The app did not want to wait for the answer.
    Cancelled,
}

/// What is to be done about the request and about each of its entries.
struct Judgement {
    whole: Option<Verdict>,
    items: Vec<(Item, Verdict)>,
}

impl Outbox {
    /// Takes what came of the upload `id`. An upload that is no longer under way changes nothing.
    ///
    /// # Errors
    /// Those of the file; then the entries are pending as before, and a repeat does no harm.
    pub fn complete_upload(
        &mut self,
        id: i64,
        result: &UploadResult,
        now_ms: i64,
    ) -> Result<Progress, OutboxError> {
        let outcome = self.take_answer(id, result, now_ms);
        self.heal(outcome)
    }

    fn take_answer(&mut self, id: i64, result: &UploadResult, now_ms: i64) -> Result<Progress, OutboxError> {
        let mut progress = Progress::default();
        if let Some(flight) = self.in_flight.take_if(|flight| flight.id == id) {
            let sent = flight.items.len();
            let judgement = read(flight.items, result);
            let asked_ms = match result {
                UploadResult::Response { headers, .. } => retry_after_ms(headers, now_ms),
                _ => None,
            };
            self.adapt(&judgement, sent);
            progress = self.apply(judgement, asked_ms, now_ms)?;
        }
        progress.pending = self.count(PENDING)?;
        Ok(progress)
    }

    /// What an answer teaches about the token and about the size of uploads.
    fn adapt(&mut self, judgement: &Judgement, sent: usize) {
        let verdicts = || judgement.whole.iter().chain(judgement.items.iter().map(|(_, verdict)| verdict));
        self.sign_in |= verdicts().any(|verdict| *verdict == Verdict::SignIn);
        self.went_well = verdicts().any(is_success);
        match &judgement.whole {
            Some(Verdict::TooLarge(_)) => self.batch_size.halve(sent, true),
            // So that each entry is judged alone in the end.
            Some(Verdict::Quarantine(_) | Verdict::Wait { strike: true, .. }) => {
                self.batch_size.halve(sent, false);
            }
            _ if self.went_well => self.batch_size.grow(),
            _ => {}
        }
    }

    fn apply(
        &mut self,
        judgement: Judgement,
        asked_ms: Option<i64>,
        now_ms: i64,
    ) -> Result<Progress, OutboxError> {
        let (reporter, rng) = (self.reporter.as_str(), &mut self.rng);
        let limits = self.options.limits;
        let (progress, erased) = self.file.write(&self.options, "answer", |transaction| {
            let mut desk = Desk { transaction, pace: Pace::load(transaction, reporter)?, rng, now_ms };
            let progress = desk.decide(judgement, asked_ms)?;
            desk.pace.save(transaction, reporter)?;
            let erased =
                if progress.settled > 0 { prune::settled(transaction, reporter, limits, now_ms)? } else { 0 };
            Ok((progress, erased))
        })?;
        self.erased |= erased > 0;
        Ok(progress)
    }
}

fn is_success(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Settled(_))
}

fn read(items: Vec<Item>, result: &UploadResult) -> Judgement {
    let whole = |whole| Judgement { whole, items: Vec::new() };
    let (status, body) = match result {
        UploadResult::Cancelled => return whole(None),
        UploadResult::NetworkFailure => {
            return whole(Some(Verdict::Wait { why: WaitReason::Offline, strike: false, trouble: None }));
        }
        UploadResult::Response { status, body, .. } => {
            (*status, serde_json::from_slice(body).unwrap_or(Value::Null))
        }
    };
    if let [only] = &items[..] {
        let verdict = judge(status, &body, Some(only.key));
        return single(only.clone(), verdict);
    }
    match results(status, &body, items.len()) {
        Some(results) => each(items, results),
        None => many(items, judge(status, &body, None)),
    }
}

/// One entry alone: what keeps the server from answering holds for the queue, too.
fn single(item: Item, verdict: Verdict) -> Judgement {
    let verdict = match verdict {
        Verdict::TooLarge(trouble) => Verdict::Quarantine(trouble),
        other => other,
    };
    let whole = matches!(verdict, Verdict::Wait { .. } | Verdict::SignIn).then(|| verdict.clone());
    Judgement { whole, items: vec![(item, verdict)] }
}

/// A whole batch that was not taken apart: nothing of it is any entry's fault, unless the server itself forbids.
fn many(items: Vec<Item>, verdict: Verdict) -> Judgement {
    let forbids = |trouble: &Trouble| trouble.problem.as_deref() == Some("forbidden");
    if matches!(&verdict, Verdict::Quarantine(trouble) if forbids(trouble)) {
        Judgement { items: items.into_iter().map(|item| (item, verdict.clone())).collect(), whole: None }
    } else {
        Judgement { items: Vec::new(), whole: Some(verdict) }
    }
}

/// The answers of a batch, if it is one of ours.
fn results(status: i64, body: &Value, sent: usize) -> Option<&Vec<Value>> {
    let results = body.get("results")?.as_array()?;
    (status == 200 && results.len() == sent).then_some(results)
}

fn each(items: Vec<Item>, results: &[Value]) -> Judgement {
    let verdict = |key: IdempotencyKey, body: &Value| {
        let status = body.get("httpStatus").and_then(Value::as_i64).unwrap_or(0);
        match judge(status, body, Some(key)) {
            Verdict::TooLarge(trouble) => Verdict::Quarantine(trouble),
            other => other,
        }
    };
    let items: Vec<_> =
        items.into_iter().zip(results).map(|(item, body)| (verdict(item.key, body), item)).collect();
    let nothing_went = !items.iter().any(|(verdict, _)| is_success(verdict));
    let first_wait = items.iter().map(|(verdict, _)| verdict).find(|verdict| match verdict {
        Verdict::Wait { strike, .. } => !strike || nothing_went,
        _ => false,
    });
    // Where nothing at all succeeds, the server is at fault and not one of the entries.
    let whole = first_wait.cloned();
    let keep = |verdict: &Verdict| !(nothing_went && matches!(verdict, Verdict::Wait { .. }));
    Judgement {
        whole,
        items: items.into_iter().filter(|(v, _)| keep(v)).map(|(v, item)| (item, v)).collect(),
    }
}

/// Where the entries of one answer are stamped.
struct Desk<'a> {
    transaction: &'a Transaction<'a>,
    pace: Pace,
    rng: &'a mut fastrand::Rng,
    now_ms: i64,
}

impl Desk<'_> {
    fn decide(&mut self, judgement: Judgement, asked_ms: Option<i64>) -> Result<Progress, OutboxError> {
        let mut progress = Progress::default();
        let successes_before = self.pace.successes;
        if judgement.items.iter().any(|(_, verdict)| is_success(verdict)) {
            self.pace.succeed();
        }
        let mut alone = false;
        for (item, verdict) in judgement.items {
            match verdict {
                Verdict::Settled(incident) => progress.settled += self.settle(&item, incident.as_ref())?,
                Verdict::Quarantine(trouble) => progress.quarantined += self.quarantine(&item, &trouble)?,
                Verdict::Wait { strike: true, trouble: Some(trouble), .. } => {
                    let (quarantined, suspect) = self.strike(&item, &trouble, successes_before)?;
                    progress.quarantined += quarantined;
                    alone |= suspect;
                }
                Verdict::Wait { trouble: Some(trouble), .. } => self.note(&item, &trouble)?,
                Verdict::Wait { .. } | Verdict::SignIn | Verdict::TooLarge(_) => {}
            }
        }
        match judgement.whole {
            // The entry waits for itself: others are known to go.
            Some(Verdict::Wait { strike: true, .. }) if alone && asked_ms.is_none() => {}
            Some(Verdict::Wait { why, .. }) => self.pace.fail(self.now_ms, asked_ms, why, self.rng),
            _ => {}
        }
        Ok(progress)
    }

    /// The entry is settled, unless it was cancelled meanwhile: then the newer revision still has to go.
    fn settle(&self, item: &Item, incident: Option<&ServerIncident>) -> Result<i64, OutboxError> {
        let sql = "UPDATE entry
                   SET state = ?3, incident = ?4, problem = NULL, attempts = attempts + 1, changed_at_ms = ?5,
                       strikes = 0, not_before_ms = 0
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        let incident = incident.and_then(to_json);
        let values = params![item.seq, item.revision, SETTLED, incident, self.now_ms];
        Ok(i64::from(self.transaction.prepare_cached(sql)?.execute(values)? > 0))
    }

    fn quarantine(&self, item: &Item, trouble: &Trouble) -> Result<i64, OutboxError> {
        let sql = "UPDATE entry
                   SET state = ?3, problem = ?4, attempts = attempts + 1, changed_at_ms = ?5,
                       strikes = 0, not_before_ms = 0
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        let values = params![item.seq, item.revision, QUARANTINED, to_json(trouble), self.now_ms];
        Ok(i64::from(self.transaction.prepare_cached(sql)?.execute(values)? > 0))
    }

    /// The server answered, but not now.
    fn note(&self, item: &Item, trouble: &Trouble) -> Result<(), OutboxError> {
        let sql = "UPDATE entry SET problem = ?3, attempts = attempts + 1
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        self.transaction.prepare_cached(sql)?.execute(params![item.seq, item.revision, to_json(trouble)])?;
        Ok(())
    }

    /// One more server error for this entry alone. Says whether that was one too many, and whether others went
    /// since its first.
    fn strike(&mut self, item: &Item, trouble: &Trouble, successes: i64) -> Result<(i64, bool), OutboxError> {
        self.note(item, trouble)?;
        let sql = "UPDATE entry
                   SET strikes = strikes + 1, first_strike = iif(strikes = 0, ?3, first_strike), not_before_ms = ?4
                   WHERE seq = ?1 AND revision = ?2 AND state = 0
                   RETURNING strikes, first_strike";
        let strikes_so_far = "SELECT strikes FROM entry WHERE seq = ?1";
        let so_far: i64 =
            self.transaction.prepare_cached(strikes_so_far)?.query_row([item.seq], |row| row.get(0))?;
        let not_before_ms = self.now_ms + back_off_ms(so_far, self.rng);
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query(params![item.seq, item.revision, successes, not_before_ms])?;
        let Some(row) = rows.next()? else { return Ok((0, false)) };
        let (strikes, first_strike): (i64, i64) = (row.get(0)?, row.get(1)?);
        drop(rows);
        let others_went = self.pace.successes > first_strike;
        let too_many = strikes >= MAX_STRIKES && others_went;
        let quarantined = if too_many { self.recall(item)? } else { 0 };
        Ok((quarantined, others_went))
    }

    fn recall(&self, item: &Item) -> Result<i64, OutboxError> {
        let sql =
            "UPDATE entry SET state = ?2, changed_at_ms = ?3, strikes = 0, not_before_ms = 0 WHERE seq = ?1";
        let values = params![item.seq, QUARANTINED, self.now_ms];
        Ok(i64::from(self.transaction.prepare_cached(sql)?.execute(values)? > 0))
    }
}
