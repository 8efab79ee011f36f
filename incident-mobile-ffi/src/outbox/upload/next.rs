//! What to send next, or until when to wait.

use super::{
    super::{change::Change, error::OutboxError, limits::GRACE_MS, moment::Moment, queue::Outbox},
    in_flight::{InFlight, Item},
    pace::Pace,
    pick::{fresh, next_turn_ms, struck},
    protocol::{NextUpload, Upload, WaitReason},
    request::request,
};

impl Outbox {
    /// Says what to send next, oldest report first.
    ///
    /// While an upload is under way the answer is to wait, at most until its time-out.
    ///
    /// # Errors
    /// Those of the file.
    pub fn next_upload(&mut self, now_ms: i64) -> Result<NextUpload, OutboxError> {
        self.repairing(|outbox| outbox.decide(now_ms))
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
            let held = self.file.write(Change::Lease, |transaction| sender.take(transaction, now_ms))?;
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
            self.file.write(Change::Wait, |transaction| pace.save(transaction, reporter))?;
        }
        Ok(Some((until_ms, why)))
    }

    /// Rests before the app goes away for a while.
    fn pause(&mut self, next: NextUpload) -> Result<NextUpload, OutboxError> {
        self.rest()?;
        Ok(next)
    }

    fn start(&mut self, items: Vec<Item>, now_ms: i64) -> Upload {
        self.uploads += 1;
        let upload = request(self.uploads, &items);
        let deadline_ms = now_ms + upload.timeout_ms + GRACE_MS;
        self.in_flight = Some(InFlight { id: upload.id, items, started_ms: now_ms, deadline_ms });
        upload
    }
}

fn wait(until_ms: i64, why: WaitReason) -> NextUpload {
    NextUpload::Wait { until: Moment(until_ms), why, detail: why.words().to_owned() }
}
