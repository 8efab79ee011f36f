//! What to send next, or until when to wait.

use super::{
    super::{change::Change, error::OutboxError, limits::GRACE_MS, moment::Moment, queue::Outbox},
    in_flight::{InFlight, Item},
    pace::Pace,
    pick::{fresh, is_anonymous_waiting, is_any_pending, next_turn, struck},
    protocol::{NextUpload, Upload, WaitReason},
    request::request,
};

/// Until when the first entry waits, and why.
type Turn = Option<(i64, WaitReason)>;

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
        let spaced_ms = self.spaced(now_ms)?;
        let (items, turn) = self.look_for_work(spaced_ms, now_ms)?;
        if items.is_empty() && turn.is_none() {
            self.is_indexed = true;
            return self.pause(NextUpload::Idle);
        }
        if let Some(why) = self.sign_in {
            return self.pause(NextUpload::SignIn { why, detail: why.words().to_owned() });
        }
        if let Some((until_ms, why)) = self.wait(now_ms)?.or(turn) {
            return self.pause(wait(until_ms, why));
        }
        if let Some(until_ms) = self.take_lease(&items, now_ms)? {
            return Ok(wait(until_ms, WaitReason::AnotherSender));
        }
        Ok(NextUpload::Send { upload: self.start(items, now_ms) })
    }

    /// Until when the next anonymous report waits.
    fn spaced(&mut self, now_ms: i64) -> Result<Option<i64>, OutboxError> {
        let spacing = self.spacing;
        if spacing.stepped_back(self.file.read(), now_ms)? {
            self.file.write(Change::Wait, |transaction| spacing.shorten(transaction, now_ms))?;
        }
        spacing.wait(self.file.read(), now_ms)
    }

    /// Takes the right to send, if another has not got it; `Some(until_ms)` where it has. From here on an anonymous
    /// report keeps its distance from a named one, whether its answer comes or not.
    fn take_lease(&mut self, items: &[Item], now_ms: i64) -> Result<Option<i64>, OutboxError> {
        let (spacing, rng, sender) = (self.spacing, &mut self.rng, &mut self.sender);
        let is_named = items.iter().any(|item| !item.anonymous);
        let is_due = is_named && spacing.is_due(self.file.read(), now_ms)?;
        if sender.holds(now_ms) && !is_due {
            return Ok(None);
        }
        self.file.write(Change::Lease, |transaction| {
            let held = sender.take(transaction, now_ms)?;
            if held.is_none() && is_due {
                spacing.begin(transaction, rng, now_ms)?;
            }
            Ok(held)
        })
    }

    /// What goes next, or what waits for itself. Before an opening finds neither for the first time, it looks whether a
    /// damaged index hides what there is.
    fn look_for_work(&self, spaced_ms: Option<i64>, now_ms: i64) -> Result<(Vec<Item>, Turn), OutboxError> {
        let one_moment = self.file.read().unchecked_transaction()?;
        let items = self.pick(now_ms, spaced_ms.is_none())?;
        if !items.is_empty() {
            return Ok((items, None));
        }
        let turn = self.turn(spaced_ms, now_ms)?;
        if turn.is_none() && !self.is_indexed && is_any_pending(&one_moment, self.reporter.as_str())? {
            return Err(OutboxError::Corrupt);
        }
        Ok((items, turn))
    }

    /// What goes next. An entry that drew a server error goes alone, and only after a success or when there is
    /// nothing else: so neither does it hold up the others nor they it.
    fn pick(&self, now_ms: i64, anonymous: bool) -> Result<Vec<Item>, OutboxError> {
        let (connection, reporter) = (self.file.read(), self.reporter.as_str());
        if self.went_well {
            let struck = struck(connection, reporter, now_ms, anonymous)?;
            if !struck.is_empty() {
                return Ok(struck);
            }
        }
        let fresh = fresh(connection, reporter, self.batch_size.now, anonymous)?;
        if fresh.is_empty() { struck(connection, reporter, now_ms, anonymous) } else { Ok(fresh) }
    }

    /// When the first entry may go that waits for itself, and why it waits.
    fn turn(&self, spaced_ms: Option<i64>, now_ms: i64) -> Result<Turn, OutboxError> {
        let (connection, reporter) = (self.file.read(), self.reporter.as_str());
        let own = next_turn(connection, reporter, now_ms)?;
        let spaced = match spaced_ms {
            Some(until_ms) if is_anonymous_waiting(connection, reporter, now_ms)? => {
                Some((until_ms, WaitReason::Spacing))
            }
            _ => None,
        };
        Ok(own.into_iter().chain(spaced).min_by_key(|(until_ms, _)| *until_ms))
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
