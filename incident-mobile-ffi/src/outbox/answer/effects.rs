//! What an answer does to the entries and to the pace, within one transaction.

use rusqlite::{Transaction, params};

use super::{
    super::{
        entry::{Incident, Problem, QUARANTINED, SETTLED, to_json},
        error::OutboxError,
        file::erase,
        limits::MAX_STRIKES,
        upload::{
            in_flight::Item,
            pace::{Asked, Pace, back_off_ms},
            protocol::{Progress, WaitReason},
        },
    },
    consequences::Consequences,
    read::Consequence,
};

/// The transaction, and what is decided with.
pub(crate) struct Effects<'a> {
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) pace: Pace,
    pub(crate) rng: &'a mut fastrand::Rng,
    pub(crate) now_ms: i64,
}

impl Effects<'_> {
    /// Gives every entry its due; with `asked` the server said when to come back.
    pub(crate) fn decide(
        &mut self,
        consequences: Consequences,
        asked: Option<Asked>,
    ) -> Result<Progress, OutboxError> {
        let mut progress = Progress::default();
        let successes_before = self.pace.successes;
        if consequences.all().any(Consequence::is_success) {
            self.pace.succeed();
        }
        let mut alone = false;
        for (item, consequence) in consequences.items {
            if !self.is_there(&item)? {
                continue; // another sender has settled and erased it; another entry may stand in its place
            }
            match consequence {
                Consequence::Settled(incident) => {
                    progress.settled += self.settle(&item, incident.as_ref())?;
                }
                Consequence::Erased => progress.settled += self.erase(&item)?,
                Consequence::Quarantine(problem) => {
                    progress.quarantined += self.quarantine(&item, &problem)?;
                }
                Consequence::Wait { why, strike: true, problem: Some(problem) } => {
                    let is_servers = why != WaitReason::NotTheServer;
                    let (quarantined, suspect) =
                        self.strike(&item, &problem, is_servers, successes_before)?;
                    progress.quarantined += quarantined;
                    alone |= suspect;
                }
                Consequence::Wait { problem: Some(problem), .. } => self.note(&item, &problem, true)?,
                Consequence::Wait { .. } | Consequence::SignIn(..) | Consequence::TooLarge { .. } => {}
            }
        }
        match consequences.whole {
            // The entry waits for itself: others are known to go.
            Some(Consequence::Wait { strike: true, .. }) if alone && asked.is_none() => {}
            Some(Consequence::Wait { why, .. }) => self.pace.fail(self.now_ms, asked, why, self.rng),
            _ => {}
        }
        Ok(progress)
    }

    fn is_there(&self, item: &Item) -> Result<bool, OutboxError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE seq = ?1 AND key = ?2)";
        let values = params![item.seq, item.key.to_string()];
        Ok(self.transaction.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
    }

    /// The entry is settled, unless it was cancelled meanwhile: then the newer revision still has to go.
    /// Of an anonymous one nothing stays.
    fn settle(&self, item: &Item, incident: Option<&Incident>) -> Result<i64, OutboxError> {
        if item.anonymous {
            return if self.is_as_sent(item)? { self.erase(item) } else { Ok(0) };
        }
        let sql = "UPDATE entry
                   SET state = ?3, incident = ?4, problem = NULL, attempts = attempts + 1, changed_at_ms = ?5,
                       strikes = 0, not_before_ms = 0
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        let incident = incident.and_then(to_json);
        let values = params![item.seq, item.revision, SETTLED, incident, self.now_ms];
        Ok(i64::from(self.transaction.prepare_cached(sql)?.execute(values)? > 0))
    }

    fn is_as_sent(&self, item: &Item) -> Result<bool, OutboxError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE seq = ?1 AND revision = ?2 AND state = 0)";
        let values = params![item.seq, item.revision];
        Ok(self.transaction.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
    }

    /// Erases what the server has erased.
    fn erase(&self, item: &Item) -> Result<i64, OutboxError> {
        erase::one(self.transaction, item.seq)?;
        Ok(1)
    }

    fn quarantine(&self, item: &Item, problem: &Problem) -> Result<i64, OutboxError> {
        let sql = "UPDATE entry
                   SET state = ?3, problem = ?4, attempts = attempts + 1, changed_at_ms = ?5,
                       strikes = 0, not_before_ms = 0
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        let values = params![item.seq, item.revision, QUARANTINED, to_json(problem), self.now_ms];
        Ok(i64::from(self.transaction.prepare_cached(sql)?.execute(values)? > 0))
    }

    /// Why it did not go now; an attempt where it was the server that answered.
    fn note(&self, item: &Item, problem: &Problem, is_attempt: bool) -> Result<(), OutboxError> {
        let sql = "UPDATE entry SET problem = ?3, attempts = attempts + ?4
                   WHERE seq = ?1 AND revision = ?2 AND state = 0";
        let values = params![item.seq, item.revision, to_json(problem), is_attempt];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// One more refusal for this entry alone; what it draws while nobody succeeds does not count. Says whether that
    /// was one too many, and whether others went since its first: before that, somebody else's page is no problem of
    /// this entry.
    fn strike(
        &mut self,
        item: &Item,
        problem: &Problem,
        is_servers: bool,
        successes: i64,
    ) -> Result<(i64, bool), OutboxError> {
        let sql = "UPDATE entry
                   SET strikes = iif(strikes > 0 AND first_strike < ?5, strikes + 1, 1),
                       first_strike = iif(strikes = 0, ?3, first_strike), not_before_ms = ?4
                   WHERE seq = ?1 AND revision = ?2 AND state = 0
                   RETURNING strikes, first_strike";
        let strikes_so_far = "SELECT strikes FROM entry WHERE seq = ?1";
        let so_far: i64 =
            self.transaction.prepare_cached(strikes_so_far)?.query_row([item.seq], |row| row.get(0))?;
        let not_before_ms = self.now_ms + back_off_ms(so_far, self.rng);
        let mut statement = self.transaction.prepare_cached(sql)?;
        let mut rows = statement.query(params![
            item.seq,
            item.revision,
            successes,
            not_before_ms,
            self.pace.successes
        ])?;
        let Some(row) = rows.next()? else { return Ok((0, false)) };
        let (strikes, first_strike): (i64, i64) = (row.get(0)?, row.get(1)?);
        drop(rows);
        let others_went = self.pace.successes > first_strike;
        if is_servers || others_went {
            self.note(item, problem, is_servers)?;
        }
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
