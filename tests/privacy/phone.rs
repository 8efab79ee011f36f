//! A phone with a real outbox, in simulated time: its owner reports and calls off, and its app syncs when it has network.

use std::path::Path;

use fastrand::Rng;
use incident_core::IdempotencyKey;
use incident_mobile_ffi::outbox::{NextUpload, Options, Outbox, OutboxError, Spacing, Upload, UploadResult};

use crate::{Failure, keys, world::Person};

/// How an app is set.
#[derive(Debug, Clone)]
pub(crate) struct Habits {
    pub(crate) name: &'static str,
    /// Whether the keys of anonymous reports are sent. Without one the server derives it.
    pub(crate) sends_sealed_keys: bool,
    /// How long an anonymous report waits after a named upload.
    spacing: Spacing,
}

impl Habits {
    /// As the outbox is delivered.
    pub(crate) fn delivered() -> Self {
        Self { name: "sealed keys, spacing", sends_sealed_keys: true, spacing: Spacing::default() }
    }

    /// As an app may set it.
    pub(crate) fn without_spacing() -> Self {
        Self { name: "sealed keys, no spacing", spacing: Spacing::NONE, ..Self::delivered() }
    }

    /// As a client may be that somebody wrote for themselves.
    pub(crate) fn without_keys() -> Self {
        Self { name: "derived keys, no spacing", sends_sealed_keys: false, ..Self::without_spacing() }
    }
}

/// A phone, its owner and its app.
pub(crate) struct Phone {
    person: Person,
    outbox: Outbox,
    random: Rng,
    /// Of the reports made so far.
    keys: Vec<IdempotencyKey>,
    /// When the app asks its outbox next, if it has network then.
    sync_ms: i64,
}

/// What to do next.
pub(crate) enum Next {
    Send(Upload),
    Wait(i64),
    Done,
}

impl Phone {
    pub(crate) fn new(
        person: Person,
        habits: &Habits,
        seed: u64,
        folder: &Path,
        now_ms: i64,
    ) -> Result<Self, Failure> {
        let options = Options { spacing: habits.spacing, seed: Some(seed), ..Options::default() };
        let file = folder.join(format!("{}.sqlite", person.sub));
        let outbox = Outbox::open(&file, keys::reporter(&person.sub), options, now_ms)?;
        Ok(Self { person, outbox, random: Rng::with_seed(seed), keys: Vec::new(), sync_ms: i64::MAX })
    }

    pub(crate) fn sub(&self) -> &str {
        &self.person.sub
    }

    /// What is to be done at this moment. Reports are made and called off on the way.
    pub(crate) fn next(&mut self, now_ms: i64) -> Result<Next, Failure> {
        self.report(now_ms)?;
        self.call_off(now_ms)?;
        let online = self.person.online.iter().find(|spell| now_ms < spell.end).expect("the last has no end");
        let begins_ms = self.sync_ms.max(online.start);
        if begins_ms <= now_ms {
            match self.outbox.next_upload(now_ms)? {
                NextUpload::Send { upload } => return Ok(Next::Send(upload)),
                NextUpload::Wait { until, .. } => self.sync_ms = until.0,
                NextUpload::Idle => self.sync_ms = i64::MAX,
                NextUpload::SignIn { detail, .. } => return Err(detail.into()),
            }
            return Ok(self.wait(self.sync_ms));
        }
        Ok(self.wait(if self.sync_ms == i64::MAX { i64::MAX } else { begins_ms }))
    }

    /// The answer to an upload is there.
    pub(crate) fn complete(
        &mut self,
        upload: &Upload,
        answer: &UploadResult,
        now_ms: i64,
    ) -> Result<(), Failure> {
        let progress = self.outbox.complete_upload(upload.id, answer, now_ms)?;
        if progress.settled == 0 || progress.quarantined > 0 {
            return Err(format!("not settled: {progress:?}").into());
        }
        Ok(())
    }

    fn report(&mut self, now_ms: i64) -> Result<(), Failure> {
        let reports = &self.person.reports[self.keys.len()..];
        for report in reports.iter().take_while(|report| report.created_ms <= now_ms) {
            self.keys.push(self.outbox.report(&report.typed_in(), now_ms)?.key);
            self.sync_ms = self.sync_ms.min(now_ms + self.random.i64(500..3000));
        }
        Ok(())
    }

    fn call_off(&mut self, now_ms: i64) -> Result<(), Failure> {
        for (report, key) in self.person.reports.iter_mut().zip(&self.keys) {
            if report.called_off_ms.take_if(|at| *at <= now_ms).is_none() {
                continue;
            }
            match self.outbox.cancel(*key, "resolved on site", now_ms) {
                Ok(_) => self.sync_ms = self.sync_ms.min(now_ms + self.random.i64(500..3000)),
                // What was anonymous and has arrived is gone from the phone.
                Err(OutboxError::NotFound) if report.is_anonymous => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Until this moment, or until the next report is made or called off.
    fn wait(&self, until_ms: i64) -> Next {
        let made = self.person.reports.get(self.keys.len()).map(|report| report.created_ms);
        let called_off =
            self.person.reports[..self.keys.len()].iter().filter_map(|report| report.called_off_ms);
        let next = made.into_iter().chain(called_off).fold(until_ms, i64::min);
        if next == i64::MAX { Next::Done } else { Next::Wait(next) }
    }
}
